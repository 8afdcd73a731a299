import { setTimeout as pause } from 'node:timers/promises';
import { History } from '../history/history.ts';
import { Random } from '../random.ts';
import type { Link, LinkEnd } from './link.ts';
import type { SoakOptions } from './options.ts';
import { makePlan, type Plan, type SoakConversation } from './plan.ts';
import { ServerProcess } from './server-process.ts';
import { encodeText } from './text.ts';

/** Codes with which a connection may end in a run: closed, cut or killed, restarted, replaced. */
const codesExpected = new Set([1000, 1006, 1012, 4409]);

export interface Counts {
  kills: number;
  crashes: number;
  cuts: number;
  stalls: number;
  closes: number;
  restarts: number;
  changes: number;
  /** Messages that messaging clients were told are stored. */
  accepted: number;
  /** Messages that were read from the log at the end. */
  logged: number;
}

/** What all parts of one run share. */
export class Run {
  readonly options: SoakOptions;
  readonly random: Random;
  readonly history = new History();
  readonly server: ServerProcess;
  readonly plan: Plan;
  readonly links: Link[] = [];
  readonly counts: Counts = {
    kills: 0,
    crashes: 0,
    cuts: 0,
    stalls: 0,
    closes: 0,
    restarts: 0,
    changes: 0,
    accepted: 0,
    logged: 0,
  };
  /** No new load and no trouble: what is left is being read. */
  quiet = false;
  connects = 0;
  readonly #byUsers = new Map<string, number>();
  #failed: (error: unknown) => void = () => {};
  /** Rejects when something happens that is no fact of the history. */
  readonly failure: Promise<never>;

  constructor(options: SoakOptions, data: string) {
    this.options = options;
    this.random = new Random(options.seed);
    this.server = new ServerProcess({ ...options, data, fault: options.fault });
    this.server.onDeath = (error) => this.fail(error);
    this.plan = makePlan(this.history, this.random);
    for (const { index, gid, users } of this.plan.conversations) {
      if (gid !== 0) this.#byUsers.set(`g ${gid}`, index);
      else for (const [a, b] of [users, [...users].reverse()]) this.#byUsers.set(`${a?.id} ${b?.id}`, index);
    }
    this.failure = new Promise((_, reject) => (this.#failed = reject));
    this.failure.catch(() => {}); // looked at by whoever waits
  }

  fail(error: unknown): void {
    this.#failed(error instanceof Error ? error : new Error(String(error)));
  }

  pause(ms: number): Promise<void> {
    return pause(ms);
  }

  /** The conversation of a message; -1: there is none between these. */
  find(group: boolean, from: number | string, to: number | string): number {
    return this.#byUsers.get(group ? `g ${to}` : `${from} ${to}`) ?? -1;
  }

  conversation(index: number): SoakConversation {
    return this.plan.conversations[index] as SoakConversation;
  }

  /** Mostly small, now and then up to what a package may hold. */
  textOf(serial: number): string {
    const roll = this.random.next();
    const max = roll < 0.001 ? 60_000 : roll < 0.01 ? 6_000 : 150;
    return encodeText(serial, this.random.int(0, max));
  }

  ended({ code }: LinkEnd, name: string): void {
    if (codesExpected.has(code)) return;
    this.history.facts.add('wrong', () => `${name} ended with ${code}: ${this.server.complaint}`);
  }
}
