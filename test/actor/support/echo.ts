import { ask, kind, tell } from '../../../src/actor/index.ts';

export interface Parcel {
  readonly n: number;
  readonly text?: string | undefined;
  readonly bytes?: Uint8Array;
  readonly nested?: { readonly list: readonly unknown[] };
}

const held: (() => void)[] = [];

/** Keeps what it was told, in order; for tests of links. */
export const Echo = kind({
  name: 'echo',
  messages: {
    put: tell<Parcel>(),
    list: ask<void, number[]>(),
    echo: ask<Parcel, Parcel>(),
    fail: ask<string, void>(),
    hold: ask<void, void>(),
    bytes: ask<Uint8Array, { buffer: boolean; length: number; sum: number }>(),
    relay: tell<{ to: number; n: number }>(),
    bad: ask<void, () => void>(),
  },
  mailbox: { capacity: 100_000 },
  load: () => [] as number[],
  on: {
    put: (seen, { n }) => void seen.push(n),
    list: (seen) => seen,
    echo: (_seen, parcel) => parcel,
    fail: (_seen, code) => {
      throw Object.assign(new Error('told to fail'), { code });
    },
    hold: () => new Promise<void>((resolve) => held.push(resolve)),
    bytes: (_seen, bytes) => ({
      buffer: Buffer.isBuffer(bytes),
      length: bytes.length,
      sum: bytes.reduce((a, b) => a + b, 0),
    }),
    relay: (_seen, { to, n }, ctx) => void ctx.system.tell(Echo, to, 'put', { n }),
    bad: () => unencodable() as () => void,
  },
});

/** Lets every handler of `hold` in this thread return. */
export function release(): void {
  for (const resolve of held.splice(0)) resolve();
}

/** An object that msgpack cannot write: it contains itself. */
export function unencodable(): any {
  const circle: { self?: unknown } = {};
  circle.self = circle;
  return circle;
}
