import { AskFailed, type ActorSystem } from '../actor/index.ts';
import type { HistoryApi, HistoryQuery } from '../admin/history-api.ts';
import { EnckeError } from '../errors.ts';
import { ownerOf } from '../store/conversation.ts';
import { readPage } from '../user/history-page.ts';
import type { HistoryPage } from '../wire/history-reply.ts';
import { shardOf } from '../wire/shard-of.ts';
import { answer } from './every-shard.ts';
import { peersOf } from './services.ts';

/** The log, read of the shards that own the conversations: pages as op 24 has them. */
export class HistoryOnActors implements HistoryApi {
  readonly #peers: ReturnType<typeof peersOf>;
  readonly #shards: number;

  constructor(system: ActorSystem, shards: number) {
    this.#peers = peersOf(() => system);
    this.#shards = shards;
  }

  async read(query: HistoryQuery): Promise<HistoryPage> {
    const shard = shardOf(ownerOf(query.conversation), this.#shards);
    try {
      return await answer(
        readPage(
          {
            read: ({ key }, after, messagesMax, bytesMax) =>
              this.#peers.read(shard, key, after, messagesMax, bytesMax),
          },
          query,
        ),
      );
    } catch (error) {
      if (error instanceof AskFailed) throw new EnckeError('storage_unavailable');
      throw error;
    }
  }
}
