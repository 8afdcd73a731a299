import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { ActorSystem, type Ref, System } from '../src/actor/index.ts';
import { Brief, Calm, Flood, Hot, nowMs, Ping, Resting } from './actor-kinds.ts';

/** The work of each row on `encke/actor`. */
const system = new ActorSystem({ kinds: [Hot, Ping, Brief, Flood, Calm] });
const TIMER_MS = 3;
const kindsUrl = new URL('actor-kinds.js', import.meta.url);

const hot = system.ref(Hot, 0);
export const tellHot = async (messages: number): Promise<void> => {
  for (let n = 0; n < messages; n++) hot.tell('add', 1);
  await hot.ask('total');
};

const many = Array.from({ length: 100_000 }, (_none, id) => system.ref(Hot, id + 1));
export const tellMany = async (messages: number): Promise<void> => {
  for (let n = 0; n < messages; n++) (many[n] as Ref<typeof Hot.messages>).tell('add', 1);
  await many[messages - 1]?.ask('total');
};

export const askInTurn = async (asks: number): Promise<void> => {
  for (let n = 0; n < asks; n++) await hot.ask('total');
};

export const pingPong = (turns: number): Promise<void> =>
  new Promise((done) => system.tell(Ping, 1, 'ping', { n: turns, from: system.ref(Ping, 2), done }));

export const spawnAndStop = (actors: number): Promise<void> =>
  new Promise((done) => {
    let left = actors;
    const ended = (): void => {
      if (--left === 0) done();
    };
    for (let n = 0; n < actors; n++) system.spawn(Brief, ended).tell('end');
  });

/** Messages a second, one way, to an actor of another thread; and microseconds of CPU time for each. */
export async function acrossThreads(
  messages: number,
  rounds: number,
): Promise<{ rates: number[]; cpuUs: number }> {
  const threads = await System.start({ threads: 1, kinds: [kindsUrl] });
  const ref = threads.ref(Hot, 'far');
  const rates: number[] = [];
  let before = 0;
  for (let round = 0; round <= rounds; round++) {
    if (round === 1) before = nowMs().cpu;
    const startMs = performance.now();
    for (let n = 0; n < messages; n++) {
      while (!ref.tell('add', 1)) await ref.room();
      // As a server does, whose messages come with its sockets' events.
      if (n % 1_024 === 1_023) await new Promise(setImmediate);
    }
    await ref.room();
    await ref.ask('total', undefined, { timeoutMs: 60_000 });
    if (round > 0) rates.push((messages / (performance.now() - startMs)) * 1_000);
  }
  const cpuUs = ((nowMs().cpu - before) * 1_000) / (messages * rounds);
  await threads.stop();
  return { rates, cpuUs };
}

/** Microseconds of each round trip to an actor of another thread. */
export async function askAcross(asks: number): Promise<number[]> {
  const threads = await System.start({ threads: 1, kinds: [kindsUrl] });
  const ref = threads.ref(Hot, 'far');
  const took: number[] = [];
  for (let n = 0; n < asks; n++) {
    const startMs = performance.now();
    await ref.ask('total');
    took.push((performance.now() - startMs) * 1_000);
  }
  await threads.stop();
  return took.slice(asks / 10);
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heapBytes = (): number => {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
};

/** Bytes of heap of an idle actor whose state is `{ n: 0 }`, and what is left once it is passivated. */
export async function memoryOfIdle(actors: number): Promise<{ idle: number; passivated: number }> {
  const own = new ActorSystem({ kinds: [Resting] });
  const tellAll = async (to: ActorSystem, message: 'wake' | 'leave', count: number): Promise<number> => {
    for (let id = 1; id <= count; id++) {
      to.tell(Resting, id, message);
      if (id % 1_000 === 0) await new Promise(setImmediate);
    }
    for (let n = 0; n < 100; n++) await new Promise(setImmediate);
    return heapBytes();
  };
  const other = new ActorSystem({ kinds: [Resting] }); // for the code, which has its size after this
  await tellAll(other, 'wake', 10_000);
  await tellAll(other, 'leave', 10_000);
  const before = heapBytes();
  const full = await tellAll(own, 'wake', actors);
  const empty = await tellAll(own, 'leave', actors);
  return { idle: (full - before) / actors, passivated: (empty - before) / actors };
}

/**
 * Waits on a calm thread and beside an actor that never stops, in milliseconds; and the process's own
 * part of the latter: by its CPU time or by the clock, whichever is less, since other processes
 * lengthen the one, and threads of the engine the other.
 */
export interface Waits {
  readonly calm: number[];
  readonly busy: number[];
  readonly busyOwn: number[];
}

/**
 * How long a message, a timer and a socket wait; calm and busy blocks take turns, since a machine with
 * other work has stalls of its own.
 */
export async function fairness(blocks: number, probes: number): Promise<Record<string, Waits>> {
  const server = createServer((end) => end.pipe(end));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setNoDelay();
  await new Promise((resolve) => socket.once('connect', resolve));
  const echo = async (): Promise<void> => {
    const echoed = new Promise((resolve) => socket.once('data', resolve));
    socket.write('x');
    await echoed;
  };
  const timer = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, TIMER_MS));
  // Each resolves to the time when what it waits for has happened.
  const kinds = {
    message: { act: () => system.ask(Calm, 1, 'when'), minusMs: 0, parts: 1 },
    timer: { act: () => timer().then(nowMs), minusMs: TIMER_MS, parts: 1 },
    socket: { act: () => echo().then(nowMs), minusMs: 0, parts: 2 }, // there and back: two turns of the loop
  };
  const none = (): Waits => ({ calm: [], busy: [], busyOwn: [] });
  const waits = Object.fromEntries(Object.keys(kinds).map((name) => [name, none()]));
  for (let block = 0; block < blocks; block++) {
    const busy = block % 2 === 1;
    const flood = { stop: false, spin: block % 4 === 1 ? 500 : 100_000 }; // quick messages, or of 0.1 ms
    for (let n = 0; busy && n < 512; n++) system.tell(Flood, 1, 'go', flood);
    for (let probe = 0; probe < probes; probe++) {
      for (const [name, { act, minusMs, parts }] of Object.entries(kinds)) {
        const start = nowMs();
        const end = await act();
        waits[name]?.[busy ? 'busy' : 'calm'].push((end.clock - start.clock - minusMs) / parts);
        const own = Math.min(end.cpu - start.cpu, end.clock - start.clock);
        if (busy) waits[name]?.busyOwn.push((own - minusMs) / parts);
      }
    }
    flood.stop = true;
    await system.ask(Flood, 1, 'count');
  }
  socket.destroy();
  server.close();
  return waits;
}
