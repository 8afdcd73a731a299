import type { Logger } from 'pino';
import type { ActorSystem } from '../actor/index.ts';
import { limits } from '../limits.ts';
import { counters, levels } from '../metrics/counters.ts';
import type { StoreEngine } from '../store/engine.ts';
import type { SendRequest } from '../user/messages.ts';
import { BeforeSend } from '../webhook/before-send.ts';
import { WebhookPeer } from '../webhook/peer.ts';
import { Poster } from '../webhook/poster.ts';
import { Signer } from '../webhook/signature.ts';
import { Webhooks } from '../webhook/webhooks.ts';
import type { ShardTask } from './control.ts';

/** The webhooks of a shard; undefined when there is nowhere to post to. */
export function openWebhooks(
  { shard, shards, startedAt, webhooks }: ShardTask,
  engine: StoreEngine,
  logger: Logger,
  system: () => ActorSystem,
  host: { scheduleTick(): void },
): Webhooks | undefined {
  if (webhooks?.url === undefined) return undefined;
  return new Webhooks({
    url: webhooks.url,
    signer: new Signer(webhooks.secrets),
    shard,
    shards,
    epoch: startedAt,
    engine,
    counters: counters.hooks,
    levels: levels.hooks,
    bounds: { ...limits, ...webhooks.bounds },
    logger,
    now: Date.now,
    wake: () => host.scheduleTick(),
    askInherited: () => system().ask(WebhookPeer, 0, 'inherited'),
  });
}

/** Undefined when nobody is asked about messages. */
export function openBeforeSend(
  { shard, webhooks, packageBytesMax }: ShardTask,
  logger: Logger,
  forward: (request: SendRequest, isGroup: boolean) => void,
): BeforeSend | undefined {
  if (webhooks?.beforeSend === undefined) return undefined;
  const { url, timeoutMs, whenDown } = webhooks.beforeSend;
  const bounds = { ...limits, ...webhooks.bounds };
  const poster = new Poster({
    url,
    signer: new Signer(webhooks.secrets),
    timeoutMs,
    replyBytesMax: bounds.beforeSendReplyBytesMax,
    connectionsMax: bounds.beforeSendLanes,
  });
  return new BeforeSend({
    poster,
    whenDown,
    bounds,
    packageBytesMax,
    counters: counters.hooks,
    levels: levels.hooks,
    logger,
    shard,
    now: Date.now,
    forward,
  });
}
