import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench } from '../support/comet.ts';
import { hex } from '../support/frames.ts';
import { GoimConnection, goimRequest } from '../support/goim.ts';

/** Conversations of the programs that goim publishes, byte for byte: what they send and what they get. */

const bench = new Bench(2);
const plain = (text: string): string => text.replaceAll(/\s/g, '');
const ascii = (text: string): string => Buffer.from(text).toString('hex');

test("goim's JavaScript example: it authenticates, beats, and gets what curl pushes to its mid, its room and everyone.", async () => {
  const client = await GoimConnection.open('ws', bench);
  const token = '{"mid":123, "room_id":"live://1000", "platform":"web", "accepts":[1000,1001,1002]}';
  client.send(hex(`00000062 0010 0001 00000007 00000001 ${ascii(token)}`));
  assert.equal(await client.bytes(16), plain('00000010 0010 0001 00000008 00000001'));
  client.send(hex('00000010 0010 0001 00000002 00000001'));
  assert.equal(await client.bytes(20), plain('00000014 0010 0001 00000003 00000001 00000001'));
  const pushes = [
    ['mids?operation=1000&mids=123', 'mid message', '0000001b', '0000002b'],
    ['room?operation=1000&type=live&room=1000', 'room message', '0000001c', '0000002c'],
    ['all?operation=1000', 'broadcast message', '00000021', '00000031'],
  ] as const;
  for (const [path, message, length, batchLength] of pushes) {
    const { status, type, text } = await goimRequest(bench, 'POST', `/goim/push/${path}`, message);
    assert.deepEqual(
      [status, type, text],
      [200, 'application/json; charset=utf-8', '{"code":0,"message":""}'],
    );
    assert.equal(
      await client.bytes(Number(batchLength)),
      plain(`${batchLength} 0010 0001 00000009 00000000
             ${length} 0010 0001 000003e8 00000000 ${ascii(message)}`),
    );
  }
  client.close();
});

test("goim's benchmark client: version 0 in its heartbeats, and pushes counted as packages of their own.", async () => {
  const client = await GoimConnection.open('tcp', bench);
  const token = '{"mid":1,"key":"","room_id":"test://1","platform":"ios","accepts":[1000,1001,1002]}';
  client.send(hex(`00000063 0010 0001 00000007 00000000 ${ascii(token)}`));
  client.send(hex('00000010 0010 0000 00000002 00000001'));
  assert.equal(await client.bytes(16), plain('00000010 0010 0001 00000008 00000000'));
  assert.equal(await client.bytes(20), plain('00000014 0010 0000 00000003 00000001 00000001'));
  // benchmarks/push_room and push_rooms
  for (let i = 0; i < 3; i++) {
    const path = '/goim/push/room?operation=1000&type=test&room=1';
    const headers = { 'content-type': 'application/json' };
    const { text } = await goimRequest(bench, 'POST', path, `{"test":${i}}`, headers);
    assert.equal(text, '{"code":0,"message":""}');
  }
  // benchmarks/push
  const path = '/goim/push/mids?operation=1000&mids=1';
  const { text } = await goimRequest(bench, 'POST', path, '{"m":{"test":1},"u":1}');
  assert.equal(text, '{"code":0,"message":""}');
  const messages = ['{"test":0}', '{"test":1}', '{"test":2}', '{"m":{"test":1},"u":1}'];
  for (const message of messages) {
    const length = (16 + message.length).toString(16).padStart(8, '0');
    assert.equal(
      await client.bytes(16 + message.length),
      plain(`${length} 0010 0001 000003e8 00000000 ${ascii(message)}`),
    );
  }
  assert.ok(!client.hasMore);
  client.close();
});

test('benchmarks/multi_push asks for a path that goim does not have either: 404, and it goes on.', async () => {
  const { status } = await goimRequest(bench, 'POST', '/goim/push/mids=0', '{"m":{"test":1},"u":[0]}');
  assert.equal(status, 404);
});
