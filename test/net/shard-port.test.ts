import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { closes } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import { Connection, type ConnectionListener } from '../../src/net/connection.ts';
import { NetCounters } from '../../src/net/counters.ts';
import { Lane, ToGateway, ToShard } from '../../src/net/lane.ts';
import { ShardPort } from '../../src/net/shard-port.ts';

/** A connection whose socket is only looked at: what it was told to write, to end, to read or not. */
class Recorded extends Connection {
  readonly transport = 'tcp';
  readonly written: string[] = [];
  readonly ended: number[] = [];
  reading = true;
  /** The kernel takes all at once. */
  takes = true;
  last: Buffer = Buffer.alloc(0);

  constructor(id: number, listener: ConnectionListener) {
    super(id, { writableLength: 0 } as Socket, listener);
  }

  write(bytes: Buffer, counts: number): boolean {
    this.written.push(`${String(bytes)} ${counts}`);
    this.last = bytes;
    return this.takes;
  }

  say(message: Buffer): void {
    this.written.push(String(message));
  }

  congestNow(): void {
    this.wrote();
  }

  end({ code }: { readonly code: number }): void {
    this.ended.push(code);
  }

  protected stopReading(): void {
    this.reading = false;
  }

  protected startReading(): void {
    this.reading = true;
  }
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A gateway's port and the shard's end of its lane, joined by a real channel. */
function joined(connections: number) {
  const { port1, port2 } = new MessageChannel();
  const all = new Map<number, Connection>();
  let drained = 0;
  const port = new ShardPort(3, port1, all, new NetCounters(4), () => (drained += 1));
  const some = Array.from(
    { length: connections },
    (_, i) =>
      new Recorded(i + 1, {
        congested: (c) => port.congested(c),
        drained: (c) => port.drained(c),
        deferred: (c) => port.deferred(c),
        closing: () => {},
      }),
  );
  for (const connection of some) {
    connection.shard = 3;
    all.set(connection.id, connection);
  }
  let onSlab: ((types: number[]) => void) | undefined;
  const shard = new Lane(port2, limits.laneOutBytesMax, (reader) => {
    const types: number[] = [];
    while (reader.next()) types.push(reader.type);
    onSlab?.(types);
    return true;
  });
  cleanups.push(() => {
    port.close();
    shard.close();
  });
  const nextSlab = (): Promise<number[]> => new Promise((resolve) => (onSlab = resolve));
  /** What the shard has written so far was carried out: the gateway has acknowledged it. */
  const carriedOut = async (): Promise<void> => {
    const done = new Promise<void>((resolve) => (shard.onAcknowledged = resolve));
    shard.out.wantAck();
    shard.flush();
    await done;
  };
  return { port, shard, some, nextSlab, carriedOut, drained: () => drained };
}

function say(lane: Lane, type: number, connection: number, argument: number, text: string): void {
  const at = lane.out.begin(type, connection, argument, Buffer.byteLength(text));
  lane.out.buf.write(text, at); // after begin, which may have made the buffer grow
}

test('What a shard writes goes to its connection, a multicast to each of many.', async () => {
  const { shard, some, carriedOut, drained } = joined(3);
  say(shard, ToGateway.write, 1, 0, 'a');
  say(shard, ToGateway.write, 1, 0, 'b');
  const at = shard.out.begin(ToGateway.multicast, 0, 2, 2 * 4 + 1);
  shard.out.buf.write('c', shard.out.buf.writeInt32LE(3, shard.out.buf.writeInt32LE(2, at)));
  say(shard, ToGateway.write, 99, 1, 'nobody');
  say(shard, ToGateway.close, 2, closes.idle.code, 'why');
  say(shard, ToGateway.drained, 0, 0, '');
  await carriedOut();
  assert.deepEqual(
    some.map(({ written }) => written),
    [['a 1', 'b 1'], ['c 1'], ['c 1']],
  );
  assert.deepEqual(
    some.map(({ ended }) => ended),
    [[], [closes.idle.code], []],
  );
  assert.equal(drained(), 1);
});

test('A slab is written to again for the way back, unless a socket still holds bytes of it.', async () => {
  for (const takes of [true, false]) {
    const { port, shard, some, carriedOut, nextSlab } = joined(2);
    const [reading, slow] = some as [Recorded, Recorded];
    slow.takes = takes;
    say(shard, ToGateway.write, slow.id, 1, 'held');
    say(shard, ToGateway.write, reading.id, 1, 'taken');
    await carriedOut();
    const slab = nextSlab();
    port.input(reading, ToShard.bytes, Buffer.alloc(64));
    // A slab that was written to again has been transferred, and its views are empty.
    await slab;
    assert.equal(String(slow.last), takes ? '' : 'held');
  }
});

test('A live multicast passes by who has output that the kernel did not take, and is not counted.', async () => {
  const { shard, some, carriedOut } = joined(3);
  const full = some[1] as Recorded;
  (full.socket as { writableLength: number }).writableLength = 1;
  full.congestNow();
  const at = shard.out.begin(ToGateway.multicastLive, 0, 3, 3 * 4 + 1);
  let end = at;
  for (const id of [1, 2, 99]) end = shard.out.buf.writeInt32LE(id, end);
  shard.out.buf.write('c', end);
  await carriedOut();
  assert.deepEqual(
    some.map(({ written }) => written),
    [['c 0'], [], []],
  );
});

test('A connection with its bound of unhandled input is not read until the shard gives credit.', async () => {
  const { port, shard, some, carriedOut } = joined(2);
  const [flooding, quiet] = some as [Recorded, Recorded];
  port.input(flooding, ToShard.bytes, Buffer.alloc(limits.sessionInBytesMax - 1));
  port.input(quiet, ToShard.bytes, Buffer.alloc(1));
  assert.deepEqual([flooding.reading, quiet.reading], [true, true]);
  port.input(flooding, ToShard.bytes, Buffer.alloc(1));
  assert.deepEqual([flooding.reading, quiet.reading], [false, true]);
  shard.out.begin(ToGateway.credit, flooding.id, 1, 0);
  await carriedOut();
  assert.equal(flooding.reading, true);
});

test('A full lane pauses whoever adds to it, until the shard has taken in half of it.', async () => {
  const chunk = limits.sessionInBytesMax / 2;
  const { port, some, nextSlab } = joined(Math.ceil(limits.laneInBytesMax / chunk) + 1);
  const slab = nextSlab();
  for (const connection of some.slice(0, -1)) port.input(connection, ToShard.bytes, Buffer.alloc(chunk));
  const late = some.at(-1) as Recorded;
  port.input(late, ToShard.bytes, Buffer.alloc(1));
  assert.equal(some[0]?.reading, true);
  assert.equal(late.reading, false);
  assert.equal((await slab).length, some.length);
  // The shard's acknowledgement comes by itself, as so much was taken in.
  while (!late.reading) await new Promise(setImmediate);
});

test('When a shard is lost its connections, and no others, are told 1012.', () => {
  const { port, some } = joined(2);
  const [own, other] = some as [Recorded, Recorded];
  other.shard = 4;
  port.lost();
  assert.deepEqual([own.ended, other.ended], [[closes.restart.code], []]);
});
