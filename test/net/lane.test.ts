import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Lane } from '../../src/net/lane.ts';
import { RECORD_HEAD_BYTES, SLAB_HEAD_BYTES, SlabReader, SlabWriter } from '../../src/net/slab.ts';
import { setPrivate } from '../support/private-state.ts';
import { ManualTimers } from '../support/timers.ts';

const WINDOW = 1024;

/** A lane, and the other end of its channel as a bare port. */
class Rig {
  readonly lane: Lane;
  readonly peer: MessagePort;
  /** Arguments of the records that the lane took in. */
  readonly taken: number[] = [];
  /** Slabs that the peer got. */
  readonly slabs: SlabReader[] = [];
  readonly timers: ManualTimers;
  #waiting: (() => void) | undefined;

  constructor(t: TestContext) {
    this.timers = new ManualTimers(t);
    const { port1, port2 } = new MessageChannel();
    this.lane = new Lane(port1, WINDOW, (reader) => {
      while (reader.next()) this.taken.push(reader.argument);
      return true;
    });
    this.peer = port2;
    port2.on('message', (slab: ArrayBuffer) => {
      this.slabs.push(new SlabReader(slab));
      this.#waiting?.();
    });
    t.after(() => {
      this.lane.close();
      port2.close();
    });
  }

  /** The lane collects records with these arguments. */
  put(...args: number[]): void {
    for (const argument of args) this.lane.out.begin(1, 1, argument, 0);
  }

  /** Until the peer has got so many slabs in all. */
  async got(slabs: number): Promise<void> {
    while (this.slabs.length < slabs) await new Promise<void>((resolve) => (this.#waiting = resolve));
  }

  /** The peer posts a slab with one record. */
  post(number: number, { acknowledged = 0, wantAck = false, bytes = 0 } = {}): void {
    const writer = new SlabWriter();
    writer.begin(1, 1, number, bytes);
    if (wantAck) writer.wantAck();
    this.#send(writer.take(number, acknowledged));
  }

  /** The peer posts an acknowledgement alone, and the lane takes it. */
  async acknowledge(number: number): Promise<void> {
    const told = new Promise<void>((resolve) => (this.lane.onAcknowledged = resolve));
    this.#send(new SlabWriter().take(0, number));
    await told;
  }

  #send(slab: ArrayBuffer): void {
    this.peer.postMessage(slab, [slab]);
  }
}

function argumentsOf(slab: SlabReader | undefined): number[] {
  const found: number[] = [];
  while (slab?.next() === true) found.push(slab.argument);
  return found;
}

test('Records arrive at the other lane in order, one slab a flush.', async (t) => {
  const { port1, port2 } = new MessageChannel();
  const got: [number, number[]][] = [];
  const a = new Lane(port1, WINDOW, () => true);
  const b = new Lane(port2, WINDOW, (reader) => got.push([reader.number, argumentsOf(reader)]) > 0);
  t.after(() => [a, b].forEach((lane) => lane.close()));
  for (let tick = 0; tick < 3; tick++) {
    for (let i = 0; i < 4; i++) a.out.begin(1, 1, tick * 4 + i, 0);
    assert.equal(a.writing, tick + 1);
    a.flush();
  }
  await once(port2, 'message');
  while (got.length < 3) await turn();
  assert.deepEqual(got, [
    [1, [0, 1, 2, 3]],
    [2, [4, 5, 6, 7]],
    [3, [8, 9, 10, 11]],
  ]);
});

test('A flush with nothing to post posts nothing.', async (t) => {
  const rig = new Rig(t);
  rig.lane.flush();
  rig.put(1);
  rig.lane.flush();
  rig.lane.flush();
  rig.put(2);
  rig.lane.flush();
  await rig.got(2);
  assert.deepEqual(
    rig.slabs.map(({ number }) => number),
    [1, 2],
  );
  assert.deepEqual(rig.slabs.map(argumentsOf), [[1], [2]]);
});

test('A full window holds the slab back; what is collected meanwhile leaves as one when there is room.', async (t) => {
  const rig = new Rig(t);
  rig.lane.out.begin(1, 1, 1, WINDOW / 2);
  rig.lane.flush();
  rig.lane.out.begin(1, 1, 2, WINDOW / 2);
  assert.equal(rig.lane.isFull, true);
  rig.lane.flush(); // what is on its way is under the window: this one still goes
  rig.put(3);
  rig.lane.flush();
  rig.put(4);
  rig.lane.flush();
  await rig.got(2);
  await turn();
  assert.deepEqual(rig.slabs.map(argumentsOf), [[1], [2]]);
  await rig.acknowledge(1);
  assert.equal(rig.lane.acknowledged, 1);
  rig.lane.flush();
  await rig.got(3);
  assert.deepEqual(argumentsOf(rig.slabs[2]), [3, 4]);
});

test('What is pending is what was collected or posted and not taken in, in bytes.', async (t) => {
  const rig = new Rig(t);
  assert.deepEqual([rig.lane.pendingBytes, rig.lane.isFull], [0, false]);
  rig.put(1);
  const one = SLAB_HEAD_BYTES + RECORD_HEAD_BYTES;
  assert.equal(rig.lane.pendingBytes, one);
  rig.lane.flush();
  rig.put(2);
  assert.equal(rig.lane.pendingBytes, one * 2);
  rig.lane.flush();
  await rig.acknowledge(1);
  assert.equal(rig.lane.pendingBytes, one);
  await rig.acknowledge(2);
  assert.equal(rig.lane.pendingBytes, 0);
  rig.lane.out.begin(1, 1, 3, WINDOW - one - 4);
  assert.equal(rig.lane.isFull, false);
  rig.lane.out.take(0, 0);
  rig.lane.out.begin(1, 1, 3, WINDOW - one);
  assert.equal(rig.lane.isFull, true);
});

test('One acknowledgement covers all slabs up to it; an older one changes nothing.', async (t) => {
  const rig = new Rig(t);
  for (let i = 1; i <= 4; i++) {
    rig.put(i);
    rig.lane.flush();
  }
  await rig.acknowledge(3);
  assert.equal(rig.lane.acknowledged, 3);
  let told = 0;
  rig.lane.onAcknowledged = () => (told += 1);
  const one = SLAB_HEAD_BYTES + RECORD_HEAD_BYTES;
  rig.post(1, { acknowledged: 2 });
  rig.post(2, { acknowledged: 3 });
  while (rig.taken.length < 2) await turn();
  assert.deepEqual([rig.lane.acknowledged, rig.lane.pendingBytes, told], [3, one, 0]);
});

test('An acknowledgement rides on the next slab.', async (t) => {
  const rig = new Rig(t);
  rig.post(1);
  rig.post(2);
  while (rig.taken.length < 2) await turn();
  rig.put(9);
  rig.lane.flush();
  await rig.got(1);
  assert.equal(rig.slabs[0]?.acknowledged, 2);
  rig.timers.fire();
  await turn();
  assert.equal(rig.slabs.length, 1);
});

test('An acknowledgement that finds no slab goes alone, once for all slabs of a delay of 20 ms.', async (t) => {
  const rig = new Rig(t);
  for (let number = 1; number <= 3; number++) {
    rig.post(number);
    while (rig.taken.length < number) await turn();
  }
  await turn();
  assert.deepEqual(rig.timers.waiting, [20]);
  rig.timers.fire();
  await rig.got(1);
  assert.deepEqual(
    rig.slabs.map(({ used, acknowledged }) => [used, acknowledged]),
    [[SLAB_HEAD_BYTES, 3]],
  );
  rig.post(4);
  while (rig.taken.length < 4) await turn();
  rig.timers.fire();
  await rig.got(2);
  assert.equal(rig.slabs[1]?.acknowledged, 4);
});

test('A slab whose sender waits is acknowledged at once.', async (t) => {
  const rig = new Rig(t);
  rig.post(1, { wantAck: true });
  await rig.got(1);
  assert.deepEqual([rig.slabs[0]?.used, rig.slabs[0]?.acknowledged], [SLAB_HEAD_BYTES, 1]);
  assert.deepEqual(rig.timers.waiting, []);
});

test('Whoever waits is seen at the other end: wantAck marks the slab that is being written.', async (t) => {
  const rig = new Rig(t);
  rig.put(1);
  rig.lane.out.wantAck();
  rig.lane.flush();
  rig.put(2);
  rig.lane.flush();
  await rig.got(2);
  assert.deepEqual(
    rig.slabs.map(({ wantsAck }) => wantsAck),
    [true, false],
  );
});

test('A quarter of the window taken in is acknowledged at once.', async (t) => {
  const rig = new Rig(t);
  const one = SLAB_HEAD_BYTES + RECORD_HEAD_BYTES;
  rig.post(1, { bytes: WINDOW / 4 - one - 4 });
  while (rig.taken.length < 1) await turn();
  await turn();
  assert.deepEqual(rig.timers.waiting, [20]);
  rig.post(2);
  await rig.got(1);
  assert.deepEqual(
    rig.slabs.map(({ acknowledged }) => acknowledged),
    [2],
  );
  rig.post(3);
  while (rig.taken.length < 3) await turn();
  await turn();
  assert.equal(rig.slabs.length, 1); // counted anew
});

test('An acknowledgement alone is not answered, nor taken for a slab.', async (t) => {
  const rig = new Rig(t);
  rig.put(1);
  rig.lane.flush();
  await rig.got(1);
  await rig.acknowledge(1);
  await turn();
  assert.deepEqual(rig.timers.waiting, []);
  rig.post(1, { wantAck: true });
  rig.peer.postMessage(new SlabWriter().take(0, 1));
  await rig.got(2);
  assert.deepEqual(
    rig.slabs.slice(1).map(({ acknowledged }) => acknowledged),
    [1],
  );
});

test('An acknowledgement is not held back by a full window.', async (t) => {
  const rig = new Rig(t);
  rig.lane.out.begin(1, 1, 1, WINDOW);
  rig.lane.flush();
  rig.put(2);
  rig.lane.flush();
  rig.post(1, { wantAck: true });
  await rig.got(2);
  assert.deepEqual([rig.slabs[1]?.used, rig.slabs[1]?.acknowledged], [SLAB_HEAD_BYTES, 1]);
  await rig.acknowledge(1);
  rig.lane.flush();
  await rig.got(3);
  assert.deepEqual(argumentsOf(rig.slabs[2]), [2]);
});

for (const past of [2 ** 31, 2 ** 32]) {
  test(`Slabs are counted on past ${past}.`, async (t) => {
    const rig = new Rig(t);
    await setPrivate(rig.lane, { '#sent': past - 3, '#acknowledged': past - 3 });
    for (let i = 1; i <= 5; i++) {
      rig.put(i);
      rig.lane.flush();
    }
    await rig.got(5);
    assert.deepEqual(
      rig.slabs.map(({ number }) => number),
      [-2, -1, 0, 1, 2].map((n) => (past + n) | 0),
    );
    const one = SLAB_HEAD_BYTES + RECORD_HEAD_BYTES;
    for (const [n, left] of [
      [-1, 3],
      [0, 2],
      [1, 1],
      [2, 0],
    ] as const) {
      await rig.acknowledge(past + n);
      assert.deepEqual([rig.lane.acknowledged, rig.lane.pendingBytes], [past + n, left * one]);
    }
    assert.equal(rig.lane.writing, past + 3);
  });

  test(`Slabs are acknowledged past ${past}.`, async (t) => {
    const rig = new Rig(t);
    for (const [i, n] of [-1, 0, 1].entries()) {
      rig.post(past + n, { wantAck: true });
      await rig.got(i + 1);
      assert.equal(rig.slabs[i]?.acknowledged, (past + n) | 0);
    }
  });
}

test('A closed lane posts nothing and takes nothing in.', async (t) => {
  const rig = new Rig(t);
  rig.post(1);
  while (rig.taken.length < 1) await turn();
  const closed = once(rig.peer, 'close');
  rig.put(1);
  rig.lane.close();
  assert.deepEqual(rig.timers.waiting, []);
  rig.lane.flush();
  await closed;
  assert.deepEqual([rig.slabs.length, rig.taken.length], [0, 1]);
});
