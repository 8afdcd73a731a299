import type { Conversation } from '../store/conversation.ts';
import type { HistoryPage } from '../wire/history-reply.ts';

/** Messages of a conversation: after < chatId < before. */
export interface HistoryQuery {
  readonly conversation: Conversation;
  readonly after: number;
  /** Infinity: up to the newest. */
  readonly before: number;
  readonly limit: number;
  readonly newestFirst: boolean;
}

/** Reads the log. EnckeError `unavailable` or `storage_unavailable` when it cannot be read. */
export interface HistoryApi {
  read(query: HistoryQuery): Promise<HistoryPage>;
}
