import type { ErrorCode } from '../errors.ts';
import type { Store } from '../store/store.ts';
import type { HistoryQuery } from '../wire/history-body.ts';
import type { UserContext } from './context.ts';
import { readPage, type HistoryRange } from './history-page.ts';
import type { AskHistory } from './messages.ts';
import type { Session } from './session.ts';
import { pairOf } from '../store/conversation.ts';
import type { UserState } from './user-state.ts';

/** What a session's history needs of the user's actor. */
export interface HistoryHost {
  readonly store: Pick<Store, 'read'>;
  /** What of a conversation the user may see, or why nothing. */
  rangeOf(query: HistoryQuery): HistoryRange | ErrorCode;
  /** To be answered by `written` once the gateway took in what was written. */
  onWritten(): void;
  onFailure(error: unknown): void;
}

/**
 * The history requests of one connection (docs/protocol.md "Operation 24"). One at a time: the next
 * page is read when the one before was written and the client reads, so that a connection holds one
 * page at most, however many it asks for.
 */
export class History {
  readonly #session: Session;
  readonly #host: HistoryHost;
  /** Bounded by limits.sessionRequestsMax: each has a ticket. */
  readonly #queue: { readonly ticket: number; readonly query: HistoryQuery }[] = [];
  #step: 'none' | 'reading' | 'read' | 'written' = 'none';

  constructor(session: Session, host: HistoryHost) {
    this.#session = session;
    this.#host = host;
  }

  ask(ticket: number, query: HistoryQuery): void {
    this.#queue.push({ ticket, query });
    this.#advance();
  }

  /** The session was written: with the page, unless an earlier request is not answered yet. */
  wrote(): void {
    if (this.#step !== 'read' || this.#session.page !== undefined) return;
    this.#step = 'written';
    this.#host.onWritten();
  }

  /** The gateway has taken in what was written, or the client reads again. */
  written(): void {
    if (this.#step === 'written') this.#step = 'none';
    this.#advance();
  }

  /** The server stops, and the client does not read: what is not being read is refused. */
  abandon(): void {
    for (const { ticket } of this.#queue.splice(0)) this.#session.refuse(ticket, 1, 'unavailable');
  }

  #advance(): void {
    const session = this.#session;
    while (this.#step === 'none' && !session.congested && session.closing === undefined) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      const range = this.#host.rangeOf(next.query);
      if (typeof range === 'string') session.refuse(next.ticket, 1, range);
      else this.#read(next.ticket, range);
    }
  }

  #read(ticket: number, range: HistoryRange): void {
    this.#step = 'reading';
    readPage(this.#host.store, range).then(
      (page) => {
        this.#step = 'read';
        this.#session.answerPage(ticket, page);
      },
      (error: unknown) => {
        this.#step = 'none';
        this.#host.onFailure(error);
        this.#session.refuse(ticket, 1, 'storage_unavailable');
        this.#advance();
      },
    );
  }
}

/** A session asks for messages of a conversation. */
export function history(state: UserState, { session, ticket, query }: AskHistory, ctx: UserContext): void {
  session.history ??= new History(session, hostOf(state, session, ctx));
  session.history.ask(ticket, query);
}

function hostOf(state: UserState, session: Session, { env }: UserContext): HistoryHost {
  return {
    store: env.store,
    rangeOf: (query) => rangeOf(state, query),
    onWritten: () => env.whenWritten(session),
    onFailure: (error) => env.logger.warn({ err: error, user: state.id }, 'history could not be read'),
  };
}

/** A member sees a group from when it joined (docs/protocol.md "Operation 24"). */
function rangeOf(state: UserState, query: HistoryQuery): HistoryRange | ErrorCode {
  const { target, after, before, limit, newestFirst } = query;
  if (!target.isGroup) {
    return { conversation: pairOf(state.id, target.id), after, before, limit, newestFirst };
  }
  const group = state.findGroup(Number(target.id));
  if (group === undefined) return 'not_member';
  const { conversation, floor } = group;
  return { conversation, after: Math.max(after, floor), before, limit, newestFirst };
}
