import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { ActorSystem, type DeadLetter, kind, type SystemOptions, tell } from '../../src/actor/index.ts';
import { Echo, type Parcel, release, unencodable } from './support/echo.ts';
import { until } from './support/system.ts';

const letters = (system: { letters: DeadLetter[] }): string[] =>
  system.letters.map(({ message, reason, fromNode }) => `${message}: ${reason} from ${fromNode}`);

/** Node 1, whose actors are all on node 2, and node 2, which hosts them. */
function pair(one: Partial<SystemOptions<any>> = {}, two: Partial<SystemOptions<any>> = {}) {
  const peers: string[] = [];
  const start = (node: number, options: Partial<SystemOptions<any>>) => {
    const dead: DeadLetter[] = [];
    const onDeadLetter = (letter: DeadLetter): unknown => dead.push(letter);
    const onPeer = (peer: number, what: string): unknown => peers.push(`${node}: ${peer} ${what}`);
    const onFailure = (): void => {};
    const system = new ActorSystem({
      node,
      kinds: [Echo],
      place: () => 2,
      onDeadLetter,
      onPeer,
      onFailure,
      ...options,
    });
    return { system, letters: dead };
  };
  const [sender, host] = [start(1, one), start(2, two)];
  const connect = (): void => {
    const { port1, port2 } = new MessageChannel();
    sender.system.connect(2, port1);
    host.system.connect(1, port2);
  };
  const stop = async (): Promise<void> => {
    await Promise.all([sender.system.stop(), host.system.stop()]);
  };
  return { sender, host, peers, connect, stop };
}

test('tells over a link are handled in order, and asks see what was told before them', async () => {
  const { sender, host, connect, stop } = pair();
  connect();
  const numbers = Array.from({ length: 5_000 }, (_, n) => n);
  for (const n of numbers) sender.system.tell(Echo, 'a', 'put', { n });
  assert.deepEqual(await sender.system.ask(Echo, 'a', 'list'), numbers);
  assert.deepEqual([sender.system.residents(Echo), host.system.residents(Echo)], [0, 1]);
  await stop();
});

test('payloads arrive as they were: undefined, large numbers, text, nested objects', async () => {
  const { sender, connect, stop } = pair();
  connect();
  const parcel: Parcel = {
    n: 2 ** 53 - 1,
    text: undefined,
    nested: { list: [-(2 ** 53 - 1), 0.5, null, 'é€😀', [true]] },
  };
  const back = await sender.system.ref(Echo, 7).ask('echo', parcel);
  assert.deepEqual(back, parcel);
  assert.equal('text' in back, true);
  await stop();
});

test('byte arrays arrive as Buffers that view the batch', async () => {
  const { sender, connect, stop } = pair();
  connect();
  const bytes = new Uint8Array(1_000).fill(2);
  assert.deepEqual(await sender.system.ask(Echo, 1, 'bytes', bytes), {
    buffer: true,
    length: 1_000,
    sum: 2_000,
  });
  const back = await sender.system.ask(Echo, 1, 'echo', { n: 1, bytes: Buffer.from('hello') });
  assert.equal(Buffer.isBuffer(back.bytes), true);
  assert.equal(String(back.bytes), 'hello');
  assert.ok((back.bytes?.byteOffset ?? 0) > 0, 'not a copy');
  await stop();
});

test('failures, refusals and timeouts cross a link', async () => {
  const { sender, host, connect, stop } = pair();
  connect();
  await assert.rejects(sender.system.ask(Echo, 1, 'fail', 'E_TOLD'), {
    name: 'AskFailed',
    message: 'told to fail',
    code: 'E_TOLD',
  });
  await assert.rejects(sender.system.ask(Echo, 2, 'hold', undefined, { timeoutMs: 1 }), {
    name: 'AskTimeout',
  });
  const held = assert.rejects(sender.system.ask(Echo, 3, 'hold'), { reason: 'unreachable' });
  assert.deepEqual(await sender.system.ask(Echo, 4, 'list'), []); // By now the handler of `hold` runs.
  const stopped = host.system.stop({ timeoutMs: 60_000 });
  await assert.rejects(sender.system.ask(Echo, 5, 'list'), { name: 'AskRefused', reason: 'stopped' });
  assert.deepEqual(letters(host).at(-1), 'list: stopped from 1');
  sender.system.disconnect(2);
  release();
  await Promise.all([held, stopped, stop()]);
});

test('kinds and messages that the peer does not know are refused there', async () => {
  const Newer = kind({
    name: 'echo',
    messages: { ...Echo.messages, extra: tell<number>() },
    load: () => [],
    on: { ...Echo.on, extra() {} },
  });
  const Other = kind({ name: 'other', messages: { put: tell<number>() }, load: () => 0, on: { put() {} } });
  const { sender, host, connect, stop } = pair({ kinds: [Other, Newer] });
  connect();
  sender.system.tell(Other, 1, 'put', 1);
  sender.system.tell(Newer, 1, 'extra', 1);
  sender.system.tell(Newer, 1, 'put', { n: 1 });
  assert.deepEqual(await sender.system.ask(Newer, 1, 'list'), [1]);
  assert.deepEqual(letters(host), ['put: unknown_kind from 1', 'extra: unknown_message from 1']);
  await stop();
});

test('a mailbox that is full there makes dead letters there', async () => {
  const Small = { ...Echo, mailbox: { capacity: 2, overflow: 'reject' } } as const;
  const { sender, host, connect, stop } = pair({}, { kinds: [Small] });
  connect();
  for (let n = 0; n < 3; n++) assert.equal(sender.system.tell(Echo, 1, 'put', { n }), true);
  await until(() => host.letters.length > 0);
  assert.deepEqual(letters(host), ['put: mailbox_full from 1']);
  await stop();
});

test('tellIfActive over a link is dropped there when the actor is not in memory', async () => {
  const { sender, host, connect, stop } = pair();
  connect();
  assert.equal(sender.system.tellIfActive(Echo, 1, 'put', { n: 1 }), true);
  sender.system.tell(Echo, 1, 'put', { n: 2 });
  sender.system.tellIfActive(Echo, 1, 'put', { n: 3 });
  assert.deepEqual(await sender.system.ask(Echo, 1, 'list'), [2, 3]);
  assert.deepEqual(host.letters, []);
  await stop();
});

test('a full queue refuses, and flows again once the peer acknowledges', async () => {
  const { sender, connect, stop } = pair({ linkFramesMax: 10, linkWindowFrames: 4 });
  const taken = Array.from({ length: 12 }, (_, n) => sender.system.tell(Echo, 1, 'put', { n }));
  assert.deepEqual([taken.lastIndexOf(true), taken.indexOf(false)], [9, 10]);
  assert.deepEqual(letters(sender), ['put: unreachable from 1', 'put: unreachable from 1']);
  connect();
  assert.equal(sender.system.tell(Echo, 1, 'put', { n: 99 }), false);
  assert.equal(letters(sender)[2], 'put: mailbox_full from 1');
  await until(() => sender.system.tell(Echo, 1, 'put', { n: 10 }));
  assert.deepEqual(
    (await sender.system.ask(Echo, 1, 'list')).slice(0, 11),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
  await stop();
});

test('a peer that does not read leaves no more than the window in its port', () => {
  const posted: ArrayBuffer[] = [];
  const silent = {
    postMessage: (batch: ArrayBuffer) => void posted.push(batch),
    on: () => {},
    close: () => {},
  };
  const { sender } = pair({ linkFramesMax: 10, linkWindowFrames: 4 });
  sender.system.connect(2, silent);
  let taken = 0;
  for (let n = 0; n < 100; n++) {
    if (sender.system.tell(Echo, 1, 'put', { n })) taken++;
    sender.system.flush();
  }
  assert.deepEqual([taken, posted.length], [14, 4]);
});

test('bytes on the way and waiting are bounded together', async () => {
  const { sender, connect, stop } = pair({ linkBytesMax: 10_000 });
  const parcel = { n: 0, bytes: Buffer.alloc(4_000) };
  connect();
  assert.deepEqual(
    [1, 2, 3, 4].map(() => sender.system.tell(Echo, 1, 'put', parcel)),
    [true, true, true, false],
  );
  await until(() => sender.system.tell(Echo, 1, 'put', parcel));
  await stop();
});

test('a lost peer: its asks reject, what waits for it is dead letters, later tells wait for the next one', async () => {
  const first = pair();
  first.connect();
  const asked = first.sender.system.ask(Echo, 1, 'hold');
  await until(() => first.host.system.residents(Echo) === 1);
  first.sender.system.tell(Echo, 1, 'put', { n: 1 });
  first.sender.system.disconnect(2);
  await assert.rejects(asked, { name: 'AskRefused', reason: 'unreachable' });
  assert.deepEqual(letters(first.sender), ['put: unreachable from 1']);
  assert.equal(first.sender.system.tell(Echo, 5, 'put', { n: 2 }), true);
  const list = first.sender.system.ask(Echo, 5, 'list');
  await until(() => first.peers.includes('2: 1 lost'));
  first.connect();
  assert.deepEqual(await list, [2]);
  assert.deepEqual(
    first.peers.filter((line) => line.startsWith('1:')),
    ['1: 2 connected', '1: 2 lost', '1: 2 connected'],
  );
  first.sender.system.disconnect(2);
  await first.host.system.stop({ timeoutMs: 1 });
});

test('a payload that cannot be encoded is dropped alone', async () => {
  const { sender, connect, stop } = pair();
  connect();
  sender.system.tell(Echo, 1, 'put', { n: 1 });
  sender.system.tell(Echo, 1, 'put', unencodable());
  sender.system.tell(Echo, 1, 'put', { n: 2 });
  const asked = assert.rejects(sender.system.ask(Echo, 1, 'echo', unencodable()), { name: 'AskFailed' });
  assert.deepEqual(await sender.system.ask(Echo, 1, 'list'), [1, 2]);
  await asked;
  await assert.rejects(sender.system.ask(Echo, 1, 'bad'), { name: 'AskFailed', message: /stack/ });
  assert.deepEqual(letters(sender), ['put: dropped from 1', 'echo: dropped from 1']);
  await stop();
});

test('stop sends what was told, then closes the links', async () => {
  const { sender, host, peers, connect } = pair();
  connect();
  sender.system.tell(Echo, 1, 'put', { n: 1 });
  assert.equal(await sender.system.stop(), true);
  await until(() => peers.includes('2: 1 lost'));
  await until(() => host.system.residents(Echo) === 1);
  assert.deepEqual(sender.letters, []);
  await host.system.stop();
});

test('an ask that expired on its way is a dead letter there', async () => {
  let aheadMs = 0;
  const clock = {
    now: () => performance.now() + aheadMs,
    setTimeout,
    clearTimeout: (handle: any) => clearTimeout(handle),
    setImmediate,
  };
  const { sender, host, connect, stop } = pair({ clock }, { clock });
  const late = assert.rejects(sender.system.ask(Echo, 1, 'echo', { n: 1 }, { timeoutMs: 200 }), {
    name: 'AskTimeout',
  });
  aheadMs = 1_000;
  connect();
  await until(() => host.letters.length > 0);
  assert.deepEqual(letters(host), ['echo: expired from 1']);
  await late;
  await stop();
});
