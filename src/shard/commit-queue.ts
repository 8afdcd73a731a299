import type { Span } from '@opentelemetry/api';
import { countCommit, counters, levels } from '../metrics/counters.ts';
import { isGroup } from '../store/conversation.ts';
import type { Append, AppendResult, Store } from '../store/store.ts';
import { failSpan, findTracer } from '../tracing.ts';
import type { CommitOwner, CommitQueue } from '../user/env.ts';
import type { Committed, SendRequest } from '../user/messages.ts';

/** Is told what is committed, in the same commit (src/webhook/event-log.ts). */
export interface CommitEvents {
  /** There is something to commit beside what actors ask for. */
  readonly hasEvents: boolean;
  appendFor(appends: readonly Append[]): Append;
  /** The results of the oldest commit that is open, its own the last; none: nothing was stored. */
  settle(results: readonly AppendResult[]): void;
}

interface Pending {
  readonly request: SendRequest;
  readonly owner: CommitOwner;
}

/**
 * The appends of a tick, handed to the store as one batch; each outcome is told to the actor that
 * asked for it, in order. Bounded by the requests that connections may have open.
 */
export class ShardCommits implements CommitQueue {
  readonly #store: Store;
  readonly #tracer = findTracer();
  #appends: Append[] = [];
  #pending: Pending[] = [];
  /** Outcomes that found a mailbox full: told again, in order, before any later one. */
  readonly #untold: { readonly owner: CommitOwner; readonly outcome: Committed }[] = [];
  /** Called when outcomes came in outside of a tick. */
  onOutcomes: (() => void) | undefined;
  /** Undefined: nobody wants to know. */
  events: CommitEvents | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  add(append: Append, request: SendRequest, owner: CommitOwner): void {
    this.#appends.push(append);
    this.#pending.push({ request, owner });
  }

  /** Commits what has gathered; true when outcomes were told already. */
  flush(): boolean {
    this.#tellAgain();
    const { events } = this;
    if (this.#appends.length === 0 && events?.hasEvents !== true) return false;
    const appends = this.#appends;
    const pending = this.#pending;
    this.#appends = [];
    this.#pending = [];
    levels.openAppends += appends.length;
    const since = performance.now();
    const span = this.#tracer?.startSpan('encke.commit', { attributes: { 'encke.runs': appends.length } });
    const batch = events === undefined ? appends : [...appends, events.appendFor(appends)];
    const results = this.#store.append(batch);
    if (!(results instanceof Promise)) {
      this.#settle(appends, since, span, results);
      this.#tell(pending, results);
      events?.settle(results);
      return pending.length > 0;
    }
    results.then(
      (settled) => {
        this.#settle(appends, since, span, settled);
        this.#tell(pending, settled);
        events?.settle(settled);
        this.onOutcomes?.();
      },
      () => {
        this.#settle(appends, since, span);
        this.#tell(pending);
        events?.settle([]);
        this.onOutcomes?.();
      },
    );
    return false;
  }

  get hasUntold(): boolean {
    return this.#untold.length > 0;
  }

  #settle(
    appends: readonly Append[],
    since: number,
    span: Span | undefined,
    results?: readonly AppendResult[],
  ): void {
    levels.openAppends -= appends.length;
    countCommit((performance.now() - since) / 1_000);
    if (span !== undefined) {
      if (results === undefined) failSpan(span, undefined);
      span.end();
    }
    for (let i = 0; i < appends.length; i++) {
      const { conversation, run } = appends[i] as Append;
      if (results?.[i]?.ok === true)
        counters.accepted[run.origin * 2 + (isGroup(conversation) ? 1 : 0)]! += run.count;
    }
  }

  #tell(pending: readonly Pending[], results?: readonly AppendResult[]): void {
    for (let i = 0; i < pending.length; i++) {
      const { request, owner } = pending[i] as Pending;
      const result = results?.[i];
      const outcome: Committed =
        result?.ok === true
          ? { request, error: null, last: 0 }
          : { request, error: 'storage_unavailable', last: result?.last ?? -1 };
      if (this.#untold.length > 0 || !owner.tell('committed', outcome)) this.#untold.push({ owner, outcome });
    }
  }

  #tellAgain(): void {
    let told = 0;
    for (const { owner, outcome } of this.#untold) {
      if (!owner.tell('committed', outcome)) break;
      told += 1;
    }
    if (told > 0) this.#untold.splice(0, told);
  }
}
