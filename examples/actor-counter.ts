import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ActorSystem, ask, env, kind } from 'encke/actor';

const Counter = kind({
  name: 'counter',
  env: env<{ folder: string }>(),
  messages: { add: ask<number, number>(), total: ask<void, number>() },
  reads: ['total'],
  saves: 'through', // an answer means: it is on the disk
  passivateAfterMs: 60_000,
  async load(ctx) {
    const text = await readFile(join(ctx.env.folder, `${ctx.id}.json`), 'utf8').catch(() => '0');
    return { total: Number(text) };
  },
  save: ({ total }, ctx) => writeFile(join(ctx.env.folder, `${ctx.id}.json`), String(total)),
  on: {
    add: (state, n) => (state.total += n),
    total: (state) => state.total,
  },
});

const folder = await mkdtemp(join(tmpdir(), 'counters-'));
const first = new ActorSystem({ kinds: [Counter], env: { folder } });
console.log(await first.ask(Counter, 'apples', 'add', 3)); // 3
await first.stop();

const second = new ActorSystem({ kinds: [Counter], env: { folder } });
console.log(await second.ask(Counter, 'apples', 'add', 4)); // 7
await second.stop();
