import type { HistoryApi, HistoryQuery } from '../../src/admin/history-api.ts';
import type { HistoryPage } from '../../src/wire/history-reply.ts';

/** A page that a test makes, for the admin port to be tested against. */
export class MemoryHistory implements HistoryApi {
  page: HistoryPage = { runs: [], last: 0, more: false };
  readonly queries: HistoryQuery[] = [];

  async read(query: HistoryQuery): Promise<HistoryPage> {
    this.queries.push(query);
    return this.page;
  }
}
