import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../src/limits.ts';
import { RECORD_HEAD_BYTES, SLAB_HEAD_BYTES, SlabReader, SlabWriter } from '../../src/net/slab.ts';
import { seededRandom } from '../support/random.ts';

interface Seen {
  readonly type: number;
  readonly connection: number;
  readonly argument: number;
  readonly payload: string;
}

function put(writer: SlabWriter, type: number, connection: number, argument: number, payload: Buffer): void {
  const at = writer.begin(type, connection, argument, payload.length);
  payload.copy(writer.buf, at);
}

function seen(slab: ArrayBuffer): Seen[] {
  const reader = new SlabReader(slab);
  const records: Seen[] = [];
  while (reader.next()) {
    const { type, connection, argument, buf, start, end } = reader;
    records.push({ type, connection, argument, payload: buf.toString('hex', start, end) });
  }
  return records;
}

test('Records are read as they were written, in order, payloads of any length between them.', () => {
  const writer = new SlabWriter();
  const expected: Seen[] = [];
  for (let bytes = 0; bytes <= 9; bytes++) {
    const payload = Buffer.alloc(bytes, 0xa0 + bytes);
    put(writer, bytes + 1, -bytes, 1000 * bytes, payload);
    expected.push({
      type: bytes + 1,
      connection: -bytes,
      argument: 1000 * bytes,
      payload: payload.toString('hex'),
    });
  }
  assert.deepEqual(
    seen(writer.take(1, 0)).map((record) => ({ ...record, connection: record.connection + 0 })),
    expected.map((record) => ({ ...record, connection: record.connection + 0 })),
  );
});

test('Fields are int32: the largest and the smallest come through.', () => {
  const writer = new SlabWriter();
  put(writer, 2_147_483_647, -2_147_483_648, -1, Buffer.alloc(0));
  assert.deepEqual(seen(writer.take(1, 0)), [
    { type: 2_147_483_647, connection: -2_147_483_648, argument: -1, payload: '' },
  ]);
});

test('A record takes its head and its payload padded to 4 bytes.', () => {
  const writer = new SlabWriter();
  assert.equal(writer.used, 0);
  let used = SLAB_HEAD_BYTES;
  for (const [bytes, padded] of [
    [0, 0],
    [1, 4],
    [4, 4],
    [5, 8],
  ] as const) {
    assert.equal(writer.begin(1, 1, 0, bytes), used + RECORD_HEAD_BYTES);
    used += RECORD_HEAD_BYTES + padded;
    assert.equal(writer.used, used);
  }
  assert.equal(new SlabReader(writer.take(1, 0)).used, used);
});

test('The head of a slab says its number, what was taken in, and whether an answer is waited for.', () => {
  const writer = new SlabWriter();
  writer.begin(1, 1, 0, 0);
  writer.wantAck();
  const first = new SlabReader(writer.take(7, 5));
  assert.deepEqual([first.number, first.acknowledged, first.wantsAck], [7, 5, true]);
  writer.begin(1, 1, 0, 0);
  const second = new SlabReader(writer.take(8, 6));
  assert.deepEqual([second.number, second.acknowledged, second.wantsAck], [8, 6, false]);
});

test('A slab bears the low 32 bits of its number.', () => {
  const reader = new SlabReader(new SlabWriter().take(2 ** 31, 2 ** 32 + 3));
  assert.deepEqual([reader.number, reader.acknowledged], [-(2 ** 31), 3]);
});

test('A slab without a record is only a head.', () => {
  const reader = new SlabReader(new SlabWriter().take(1, 9));
  assert.deepEqual([reader.used, reader.next()], [SLAB_HEAD_BYTES, false]);
});

test('A writer is empty after its slab was taken, and the next slab has nothing of the one before.', () => {
  const writer = new SlabWriter();
  put(writer, 1, 1, 1, Buffer.from('abc'));
  const slab = writer.take(1, 0);
  assert.deepEqual([writer.isEmpty, writer.used], [true, 0]);
  put(writer, 2, 2, 2, Buffer.from('d'));
  assert.equal(writer.isEmpty, false);
  assert.equal(seen(writer.take(2, 0)).length, 1);
  assert.equal(seen(slab)[0]?.payload, '616263');
});

test('A slab can be transferred: it is a buffer of its own.', () => {
  const [a, b] = [new SlabWriter(), new SlabWriter()];
  put(a, 1, 1, 1, Buffer.from('a'));
  put(b, 1, 1, 1, Buffer.from('b'));
  const slab = a.take(1, 0);
  const moved = structuredClone(slab, { transfer: [slab] });
  assert.equal(slab.byteLength, 0);
  assert.equal(seen(moved).length, 1);
  assert.equal(seen(b.take(1, 0))[0]?.payload, '62');
});

test('A slab grows with what is written, whatever the sizes, and keeps what is in it.', () => {
  const random = seededRandom('slab');
  const writer = new SlabWriter();
  for (let round = 0; round < 50; round++) {
    const expected: Seen[] = [];
    for (let i = random.int(0, 30); i > 0; i--) {
      const payload = random.bytes(random.int(0, random.chance(0.1) ? 20_000 : 50));
      const [type, connection, argument] = [random.int32(), random.int32(), random.int32()];
      put(writer, type, connection, argument, payload);
      expected.push({ type, connection, argument, payload: payload.toString('hex') });
    }
    assert.deepEqual(seen(writer.take(round, 0)), expected);
  }
});

test('Under steady load slabs do not grow while they are written, and shrink again when it is gone.', () => {
  const writer = new SlabWriter();
  writer.begin(1, 1, 0, 100_000);
  writer.take(1, 0);
  writer.begin(1, 1, 0, 0);
  assert.equal(writer.buf.length >= 100_000, true);
  for (let i = 0; i < 30; i++) {
    writer.take(i, 0);
    writer.begin(1, 1, 0, 0);
  }
  assert.equal(writer.buf.length, 4_096);
});

test('A slab that was given back is written to again, and keeps what is in it when it is too small.', () => {
  const writer = new SlabWriter();
  const slab = new ArrayBuffer(8_192);
  writer.give(slab);
  put(writer, 1, 1, 1, Buffer.from('abc'));
  assert.equal(writer.take(1, 0), slab);
  writer.give(slab);
  put(writer, 1, 1, 1, Buffer.from('abc'));
  put(writer, 2, 2, 2, Buffer.alloc(10_000, 'd'));
  const [first, second] = seen(writer.take(2, 0));
  assert.equal(first?.payload, '616263');
  assert.equal(second?.payload, '64'.repeat(10_000));
});

test('Of the slabs that were given back the largest are kept, within their bounds.', () => {
  const writer = new SlabWriter();
  writer.give(new ArrayBuffer(limits.laneSpareBytesMax + 4));
  const sizes = Array.from({ length: limits.laneSparesMax + 2 }, (_, i) => 8_192 * (i + 1));
  for (const size of sizes) writer.give(new ArrayBuffer(size));
  const taken = sizes.map(() => {
    writer.begin(1, 1, 0, 0);
    return writer.take(1, 0).byteLength;
  });
  const kept = sizes.toReversed().slice(0, limits.laneSparesMax);
  assert.deepEqual(taken, [...kept, 4_096, 4_096]);

  for (let i = 0; i < limits.laneSparesMax; i++) writer.give(new ArrayBuffer(limits.laneSpareBytesMax / 2));
  const large = sizes.map(() => {
    writer.begin(1, 1, 0, 0);
    return writer.take(1, 0).byteLength;
  });
  assert.deepEqual(large.filter((bytes) => bytes > 4_096).length, 2);
});
