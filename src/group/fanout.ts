import { ask, env, kind, tell } from '../actor/index.ts';
import type { Run } from '../wire/run.ts';

export interface FanoutMessage {
  readonly group: number;
  readonly run: Run;
  /** The connection that sent it, which does not get it. */
  readonly shard: number;
  readonly connection: number;
}

/** Connections that a message is for. */
export interface Given {
  /** They were given it. */
  readonly now: number;
  /** They read too slowly, and are given it from the log. */
  readonly later: number;
}

export interface GroupMessage {
  readonly group: number;
  readonly chatId: number;
}

export interface FanoutEnv {
  readonly fanouts: {
    watching(group: number, head: number): void;
    deliver(message: FanoutMessage): void;
    rewatch(group: number): void;
    given(message: GroupMessage): Given;
  };
}

/** A shard as groups reach it: one actor, its id is the shard's number. */
export const Fanout = kind({
  name: 'fanout',
  env: env<FanoutEnv>(),
  messages: {
    watching: tell<{ readonly group: number; readonly head: number }>(),
    deliver: tell<FanoutMessage>(),
    /** The group's actor forgot who watches it. */
    rewatch: tell<number>(),
    /** Who here has these messages, all that was told before counted. */
    given: ask<readonly GroupMessage[], readonly Given[]>(),
  },
  mailbox: { capacity: 65_536 },
  load: () => null,
  on: {
    watching: (_state, { group, head }, ctx) => {
      ctx.env.fanouts.watching(group, head);
    },
    deliver: (_state, message, ctx) => {
      ctx.env.fanouts.deliver(message);
    },
    rewatch: (_state, group, ctx) => {
      ctx.env.fanouts.rewatch(group);
    },
    given: (_state, messages, ctx) => messages.map((message) => ctx.env.fanouts.given(message)),
  },
});
