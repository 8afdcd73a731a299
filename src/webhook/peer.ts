import { ask, env, kind } from '../actor/index.ts';

export interface WebhookPeerEnv {
  readonly webhooks: { readonly inherited: readonly number[] | null } | undefined;
}

/**
 * A shard's webhooks as the other shards see them: one actor, its id is the shard's number.
 * `inherited`: where each event log stands, once what earlier runs have left is posted; null until then.
 */
export const WebhookPeer = kind({
  name: 'webhook',
  env: env<WebhookPeerEnv>(),
  messages: { inherited: ask<void, readonly number[] | null>() },
  mailbox: { capacity: 1_024 },
  supervise: { strategy: 'resume' },
  load: () => null,
  on: { inherited: (_state, _none, ctx) => ctx.env.webhooks?.inherited ?? null },
});
