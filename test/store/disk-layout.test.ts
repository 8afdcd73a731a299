import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupOf, pairOf, type Conversation } from '../../src/store/conversation.ts';
import * as layout from '../../src/store/disk/layout.ts';
import * as values from '../../src/store/disk/values.ts';
import type { Cursor } from '../../src/store/store.ts';
import { PayloadKind } from '../../src/wire/run.ts';
import type { UserId } from '../../src/wire/user-id.ts';
import { textsFrom } from '../support/engine.ts';
import { runOf } from '../support/runs.ts';

const hex = (bytes: Buffer): string => bytes.toString('hex');
/** Hex of parts that stand apart for the reader. */
const joined = (text: string): string => text.replaceAll(' ', '');
const bytesOf = (conversation: Conversation): Buffer => layout.conversationBytes(conversation);
const emoji = '\u{1f600}';
const NAMES = [
  'a',
  'ab',
  'b',
  '',
  '021',
  '"',
  '\\',
  '\u0000',
  '\u00ff',
  '\uffff',
  emoji,
  `${emoji}a`,
  '#1',
].filter((name) => name !== '');
/** What LMDB takes, with the page size of 4 KiB. */
const LMDB_KEY_BYTES_MAX = 1_978;

test('Keys are a tag, and parts that end by themselves.', () => {
  const pair = bytesOf(pairOf(2, 1));
  assert.equal(hex(pair), joined('0100000001 0100000002'));
  assert.equal(hex(bytesOf(groupOf(7))), '0300000007');
  assert.equal(hex(bytesOf(pairOf('bob', 21))), joined('0100000015 020003 626f62'));
  assert.equal(hex(layout.conversationKey(pair)), '43' + hex(pair));
  assert.equal(hex(layout.chunkKey(pair, 300)), '4c' + hex(pair) + '000000000000012c');
  assert.equal(hex(layout.chunkKey(pair, 2 ** 53 - 1)), '4c' + hex(pair) + '001fffffffffffff');
  assert.equal(hex(layout.userKey(21)), joined('55 0100000015'));
  assert.equal(hex(layout.userKey(emoji)), joined('55 020004 f09f9880'));
  assert.equal(hex(layout.cursorKey(1, pair)), joined('4b 0100000001' + hex(pair)));
  assert.equal(hex(layout.pairKey(2, pair)), joined('49 0100000002' + hex(pair)));
  assert.equal(hex(layout.groupKey(7)), joined('47 00000007'));
  assert.equal(hex(layout.memberKey(7, 21)), joined('4d 00000007 00000015'));
  assert.equal(hex(layout.groupsKey(21, 7)), joined('4a 00000015 00000007'));
  assert.equal(hex(layout.systemKey('owner')), joined('53 6f776e6572'));
});

test('Chunks stand in the order of their numbers, and their keys say them.', () => {
  const numbers = [1, 2, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 52, 2 ** 53 - 1];
  const keys = numbers.map((number) => layout.chunkKey(bytesOf(groupOf(1)), number));
  assert.deepEqual(
    keys.toSorted((a, b) => Buffer.compare(a, b)),
    keys,
  );
  assert.deepEqual(keys.map(layout.chunkLast), numbers);
});

test('A conversation comes back from its bytes, wherever they stand, whatever the names hold.', () => {
  const users: UserId[] = [1, 2, 2_147_483_647, ...NAMES];
  for (const a of users) {
    for (const b of users) {
      const pair = pairOf(a, b);
      assert.deepEqual(layout.conversationAt(Buffer.concat([Buffer.of(9, 9), bytesOf(pair)]), 2), pair);
    }
  }
  assert.deepEqual(layout.conversationAt(bytesOf(groupOf(2_147_483_647)), 0), groupOf(2_147_483_647));
});

test('No conversation begins with another one, so that no range holds what is not of it.', () => {
  const users: UserId[] = [1, 256, ...NAMES];
  const all = users.flatMap((a) => users.map((b) => pairOf(a, b)));
  const keys = new Map([...all, groupOf(1), groupOf(256)].map((one) => [hex(bytesOf(one)), one.key]));
  assert.equal(keys.size, new Set(keys.values()).size);
  for (const one of keys.keys())
    for (const other of keys.keys()) assert.ok(one === other || !other.startsWith(one), `${one} ${other}`);
});

test('The end of a prefix is behind everything that begins with it, and before what comes next.', () => {
  assert.equal(hex(layout.prefixEnd(Buffer.of(1, 2))), '0103');
  assert.equal(hex(layout.prefixEnd(Buffer.of(1, 0xff, 0xff))), '02');
  const prefix = layout.memberPrefix(0x00ff_ffff);
  assert.equal(hex(layout.prefixEnd(prefix)), '4d01');
  assert.ok(Buffer.compare(layout.memberKey(0x00ff_ffff, 2_147_483_647), layout.prefixEnd(prefix)) < 0);
  assert.ok(Buffer.compare(layout.memberKey(0x0100_0000, 1), layout.prefixEnd(prefix)) >= 0);
});

test('The longest names fit into the keys of the tables.', () => {
  const [a, b] = [emoji.repeat(128), `${emoji.repeat(127)}\u{1f601}`];
  const pair = bytesOf(pairOf(a, b));
  for (const key of [layout.cursorKey(b, pair), layout.pairKey(a, pair), layout.chunkKey(pair, 1)])
    assert.ok(key.length <= LMDB_KEY_BYTES_MAX, `${key.length}`);
  assert.equal(layout.cursorKey(a, pair).length, 1 + 3 * (3 + 512));
});

test('Values are what docs/storage.md says.', () => {
  const record = { last: 3, floor: 1, time: 1_000, bytes: 80, chunks: 2 };
  const value = values.encodeConversation(record);
  assert.equal(
    hex(value),
    joined('0000000000000840 000000000000f03f 0000000000408f40 0000000000005440 0000000000000040'),
  );
  assert.deepEqual(values.decodeConversation(value), record);
  assert.equal(hex(values.encodeNumber(5)), '0000000000001440');
  assert.equal(values.decodeNumber(values.encodeNumber(2 ** 53 - 1)), 2 ** 53 - 1);
  assert.equal(hex(values.encodeUser({ mailbox: true, devices: ['a'] })), '92c391a161');
  assert.deepEqual(values.decodeUser(values.encodeUser({ mailbox: false, devices: [] })), {
    mailbox: false,
    devices: [],
  });
});

test('A cursor comes back, whatever its devices are called.', () => {
  const devices = Object.fromEntries([
    ['__proto__', 3],
    ['7', 4],
    ['constructor', 5],
    [emoji, 6],
  ]);
  const cursor: Cursor = { key: 'g:1', delivered: 2 ** 40, devices, readTo: 1, read: [3, 4, 6, 6] };
  const value = values.encodeCursor(cursor);
  assert.deepEqual(values.decodeCursor('g:1', value), cursor);
  assert.deepEqual(
    Object.keys(values.decodeCursor('g:1', value).devices).sort(),
    Object.keys(devices).sort(),
  );
});

test('A chunk is its runs, behind a checksum of all of it.', () => {
  const run = { ...runOf(PayloadKind.text, ['hi'], { first: 7 }), time: 1_000 };
  const value = values.encodeChunk([run]);
  assert.equal(
    hex(value.subarray(4)),
    '01000000' + // runs
      '0000000000001c40' + // first
      '0000000000408f40' + // time
      '01000000' + // count
      '22000000' + // bytes
      '0000000000408f40' +
      '01' + // kind
      '00' + // origin
      '0000' +
      hex(run.bytes),
  );
  assert.deepEqual(values.decodeChunk(value), [run]);
  assert.equal(values.chunkTime(value), 1_000);
  assert.equal(values.chunkBytes([run]), value.length);
});

test('A chunk of which any bit was turned, or the end is missing, is corrupt.', () => {
  const pair = pairOf(1, 2);
  const value = values.encodeChunk([textsFrom(pair, 1, ['a', 'b']), textsFrom(pair, 3, ['c'])]);
  assert.equal(values.decodeChunk(value).length, 2);
  for (let at = 0; at < value.length; at++) {
    const damaged = Buffer.from(value);
    damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8));
    assert.throws(() => values.decodeChunk(damaged), values.CorruptData, `byte ${at}`);
    assert.throws(() => values.decodeChunk(value.subarray(0, at)), values.CorruptData, `${at} bytes`);
  }
});
