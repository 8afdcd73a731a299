import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { secret, signed } from '../support/auth.ts';
import { putGroup } from '../support/admin.ts';
import { cometKinds, connectComet, connectMessaging } from '../support/clients.ts';
import { Bench, refusal, type Wire } from '../support/comet.ts';

const bench = new Bench(2, { auth: { kind: 'token', secrets: [secret] } });

/** Credentials with these items of a token's permissions. */
const mkeyOf = (user: number | string, items: string): string => signed(user, `0.${items}`);

async function open(kind: (typeof cometKinds)[number], mid: number, items: string): Promise<Wire> {
  const wire = await bench.open(kind);
  wire.mid = mid;
  wire.jsonFrame(7, 1, { mid, mkey: mkeyOf(mid, items) });
  assert.equal((await wire.reply(8, 1)).ret, 0);
  return wire;
}

for (const kind of cometKinds) {
  describe(`permissions over ${kind}`, () => {
    test('without publish, op 18 and 20 are refused with forbidden, and receiving goes on', async () => {
      const [mute, peer] = [bench.mid(), bench.mid()];
      await putGroup(bench, 7, [mute, peer]);
      const wire = await open(kind, mute, 'publish=0');
      const other = await open(kind, peer, '');
      for (const [seq, op, to] of [
        [2, 18, peer],
        [3, 20, 7],
        [4, 18, mute],
      ] as const) {
        wire.message(op, seq, to, 'x');
        assert.deepEqual(await wire.reply(op + 1, seq), refusal(kind, 'forbidden'));
      }
      assert.equal(await other.say(mute, 'to a mute'), 1);
      assert.ok((await other.say(7, 'to the group', 20)) > 0);
      assert.deepEqual((await wire.texts(2)).toSorted(), ['to a mute', 'to the group']);
      assert.equal(await wire.acked({ with: peer }, 1), 1);
      assert.equal((await wire.pageOf({ with: peer })).messages.length, 1);
      await Promise.all([wire.end(), other.end()]);
    });

    test('with groups, others are forbidden, also one that it is a member of; users are not', async () => {
      const [mid, peer] = [bench.mid(), bench.mid()];
      for (const group of [8, 9]) await putGroup(bench, group, [mid, peer]);
      const wire = await open(kind, mid, 'groups=9-11');
      const other = await open(kind, peer, '');
      wire.message(20, 2, 8, 'x');
      assert.deepEqual(await wire.reply(21, 2), refusal(kind, 'forbidden'));
      wire.message(20, 3, 10, 'x');
      assert.deepEqual(await wire.reply(21, 3), refusal(kind, 'forbidden'), 'no such group: not told');
      wire.message(20, 4, 11, 'x');
      assert.deepEqual(await wire.reply(21, 4), refusal(kind, 'no_such_group'));
      assert.ok((await wire.say(9, 'to the group', 20)) > 0);
      assert.equal(await wire.say(peer, 'to a user'), 1);
      assert.ok((await other.say(8, 'from the other group', 20)) > 0);
      assert.deepEqual(await wire.texts(1), ['from the other group']);
      await Promise.all([wire.end(), other.end()]);
    });
  });
}

test('in messaging what is forbidden is in errors, and the rest of the text is sent', async () => {
  const [mid, peer] = [bench.mid(), bench.mid()];
  for (const group of [18, 19]) await putGroup(bench, group, [mid, peer]);
  const client = await connectMessaging(bench, mid, { token: mkeyOf(mid, 'groups=19') });
  const other = await connectMessaging(bench, peer, { token: mkeyOf(peer, '') });
  client.sendSections({
    send: [
      { id: 1, sid: mid, rid: '#18' },
      { id: 2, sid: mid, rid: '#19' },
      { id: 3, sid: mid, rid: peer },
    ],
  });
  assert.deepEqual(await client.nextError(), {
    section: 'send',
    id: 1,
    error: 'forbidden',
    reason: 'the credentials do not allow this',
  });
  const ids = (await other.nextMessages(2)).map(({ id }) => id);
  assert.deepEqual(new Set(ids), new Set([2, 3]));
  await Promise.all([client.close(), other.close()]);
});

test('in messaging without publish nothing can be sent, to nobody; read goes on', async () => {
  const client = await connectMessaging(bench, 'mute', { token: mkeyOf('mute', 'publish=0') });
  const other = await connectMessaging(bench, 'peer', { token: mkeyOf('peer', '') });
  client.sendSections({
    send: ['peer', 'mute', 21].map((rid, id) => ({ id, sid: 'mute', rid })),
  });
  for (const id of [0, 1, 2]) {
    const { error, ...entry } = await client.nextError();
    assert.deepEqual([error, entry.id], ['forbidden', id]);
  }
  const id = other.send('mute', { text: 'to a mute' });
  assert.equal((await client.nextMessage()).id, id);
  client.read({ id });
  other.send('mute', { text: 'again' });
  await client.nextMessage();
  await client.close();
  const again = await connectMessaging(bench, 'mute', { token: mkeyOf('mute', 'publish=0') });
  assert.equal((await again.nextMessage())['text'], 'again', 'the first was read');
  await Promise.all([again.close(), other.close()]);
});

test('each connection has the permissions of its own credentials', async () => {
  const mid = bench.mid();
  const mute = await connectComet('tcp', bench, mid, { mkey: mkeyOf(mid, 'publish=0') });
  const free = await connectComet('ws-json', bench, mid, { mkey: mkeyOf(mid, '') });
  assert.equal(await free.send(bench.mid(), 'x'), 1);
  await assert.rejects(mute.send(bench.mid(), 'x'));
  await Promise.all([mute.close(), free.close()]);
});
