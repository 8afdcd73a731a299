import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { closes } from '../../src/errors.ts';
import { Pushes } from '../../src/goim/pushes.ts';
import { Registry } from '../../src/goim/registry.ts';
import { limits } from '../../src/limits.ts';
import type { Session } from '../../src/user/session.ts';
import { eachWsMessage } from '../../src/wire/ws-frame.ts';
import { decodePackages } from '../../src/client/frames.ts';
import { OutLane, type Output } from '../support/out-lane.ts';
import { FakeShard, sessionOf } from '../support/sessions.ts';
import { ManualTimers } from '../support/timers.ts';

/** The first byte of a WebSocket's binary message; that of a package is 0. */
const WS_BINARY = 0x82;

/** The pushes of a shard and its lane. */
class Rig {
  readonly out: OutLane;
  readonly registry = new Registry();
  readonly pushes: Pushes;
  readonly #host = new FakeShard();

  constructor(t: TestContext) {
    this.out = new OutLane(t);
    this.pushes = new Pushes({ scheduleTick: () => undefined }, this.out.lane, this.registry);
    t.after(() => this.pushes.stop());
  }

  client(connection: number, accepts: number[], room = '', webSocket = false): Session {
    const goim = { key: `key ${connection}`, room, accepts };
    const session = sessionOf(this.#host, connection, { user: connection, webSocket, goim });
    this.registry.add(session);
    return session;
  }

  toRoom(room: string, text: string, operation = 1): boolean {
    return this.pushes.push({ operation, message: Buffer.from(text), to: { room } });
  }

  toAll(text: string, operation = 1, speed = 0): boolean {
    return this.pushes.push({ operation, message: Buffer.from(text), to: { speed } });
  }

  flush(): Output[] {
    this.pushes.flush();
    return this.out.take();
  }
}

/** `connections: op body, …` of a record; in an op 9 the packages inside. */
function said({ to, bytes }: Output): string {
  let message = bytes;
  if (bytes[0] === WS_BINARY) eachWsMessage(bytes, (payload) => (message = payload));
  const frames = decodePackages(message);
  const isBatch = frames[0]?.op === 9;
  const packages = isBatch ? decodePackages(frames[0]!.body) : frames;
  const texts = packages.map(({ op, body }) => `${op} ${String(body)}`);
  return `${to.join()}${isBatch ? ' batch' : ''}: ${texts.join(', ')}`;
}

test('Pushes of one tick to one room are one record for TCP and one for WebSocket, and so are those to everyone in one operation.', (t) => {
  const rig = new Rig(t);
  rig.client(1, [], 'a');
  rig.client(2, [1], 'a', true);
  rig.client(3, [1, 2], 'a');
  rig.client(4, [2], 'b');
  rig.toRoom('a', 'one');
  rig.toRoom('a', 'two', 7);
  rig.toRoom('b', 'three');
  rig.toAll('four', 1);
  rig.toAll('five', 1);
  rig.toAll('six', 2);
  rig.toRoom('nobody', 'seven');
  const records = rig.flush();
  assert.deepEqual([...new Set(records.map(({ type }) => type))], ['multicastLive']);
  assert.deepEqual(records.map(said), [
    '1,3: 1 one, 7 two',
    '2 batch: 1 one, 7 two',
    '4: 1 three',
    '3: 1 four, 1 five',
    '2 batch: 1 four, 1 five',
    '3,4: 2 six',
  ]);
  assert.deepEqual(rig.flush(), []);
});

test('A write has about as many bytes as its limit allows, and then the next is begun.', (t) => {
  const rig = new Rig(t);
  rig.client(1, [], 'a');
  const half = 'x'.repeat(limits.goimBatchBytesMax / 2 - 16);
  for (let i = 0; i < 3; i++) rig.toRoom('a', half);
  const sizes = rig.flush().map(({ bytes }) => bytes.length);
  assert.deepEqual(sizes, [limits.goimBatchBytesMax, limits.goimBatchBytesMax / 2]);
});

test('Who does not read, or is being closed, is left out.', (t) => {
  const rig = new Rig(t);
  const [slow, closing] = [rig.client(1, [1]), rig.client(2, [1])];
  rig.client(3, [1]);
  slow.congest(0);
  closing.close(closes.replaced);
  rig.toAll('x');
  assert.deepEqual(rig.flush().map(said), ['3: 1 x']);
  slow.drain();
  rig.toAll('y');
  assert.deepEqual(rig.flush().map(said), ['1,3: 1 y']);
});

test('Pushes wait while the lane is full, up to their limit; more are refused, until there is room.', (t) => {
  const rig = new Rig(t);
  rig.client(1, [1]);
  rig.out.fill();
  const message = 'x'.repeat(limits.goimPushBytesMax);
  let taken = 0;
  while (rig.toAll(message)) taken += 1;
  assert.equal(taken, Math.floor(limits.goimPendingBytesMax / (limits.goimPushBytesMax + 16)));
  assert.ok(!rig.toRoom('nobody', message));
  assert.equal(rig.flush().filter(({ type }) => type === 'multicastLive').length, 0);
  assert.ok(!rig.pushes.isEmpty);
  assert.equal(rig.flush().length, 1); // that is all the lane takes at once
  while (!rig.pushes.isEmpty) rig.flush();
  assert.ok(rig.toAll(message));
});

test('A paced push goes to so many a second of those who were there, as far as they still are.', (t) => {
  const timers = new ManualTimers(t);
  const rig = new Rig(t);
  const clients = Array.from({ length: 12 }, (_, i) => rig.client(i + 1, [1]));
  assert.ok(rig.toAll('x', 1, 40));
  rig.client(100, [1]); // too late
  const steps = [rig.flush().map(said)];
  rig.registry.remove(clients[2]!);
  while (timers.waiting.length > 0) {
    timers.fire();
    steps.push(rig.flush().map(said));
  }
  assert.deepEqual(steps, [['1: 1 x'], ['2,4,5: 1 x'], ['6,7,8,9: 1 x'], ['10,11,12: 1 x']]);
});

test('So many paced pushes are under way at once; one more is refused until one is done.', (t) => {
  const timers = new ManualTimers(t);
  const rig = new Rig(t);
  rig.client(1, [1]);
  rig.client(2, [1]);
  for (let i = 0; i < limits.goimPacedMax; i++) assert.ok(rig.toAll('x', 1, 1));
  assert.ok(!rig.toAll('x', 1, 1));
  assert.equal(timers.waiting.length, limits.goimPacedMax);
  rig.flush();
  for (let i = 0; i < 20; i++) timers.fire();
  rig.flush();
  assert.equal(timers.waiting.length, 0);
  assert.ok(rig.toAll('x', 1, 1));
});
