import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessagingClient } from '../../src/client/index.ts';
import { putGroup } from '../support/admin.ts';
import { cometKinds, connectMessaging } from '../support/clients.ts';
import { onWorkers, within } from '../support/comet.ts';

onWorkers('identities', (bench) => {
  for (const kind of cometKinds) {
    test(`a message to a mid over ${kind} reaches every connection of it in both protocols`, async () => {
      const [from, to] = [await bench.connect(kind, bench.mid(0)), bench.mid(1)];
      const comet = await Promise.all(cometKinds.map((each) => bench.connect(each, to)));
      const messaging = await Promise.all(
        ['', 'phone'].map((deviceId) => connectMessaging(bench, to, deviceId === '' ? {} : { deviceId })),
      );
      await from.say(to, 'to both');
      for (const wire of comet) assert.deepEqual(await wire.texts(1), ['to both']);
      const [low, high] = [from.mid, to].sort((a, b) => a - b);
      for (const client of messaging) {
        const message = await client.nextMessage();
        const id = `c:${low}:${high}:1`;
        assert.deepEqual(message, { id, sid: from.mid, rid: to, chatId: 1, text: 'to both' });
      }
      for (const client of messaging) await client.close();
      for (const wire of [from, ...comet]) await wire.end();
    });

    test(`a messaging message to a mid reaches it over ${kind}, and the pair goes on counting`, async () => {
      const [mid, peer] = [bench.mid(0), bench.mid(1)];
      const wire = await bench.connect(kind, mid);
      assert.equal(await wire.say(peer, 'one'), 1);
      const client = await connectMessaging(bench, peer);
      assert.equal((await client.nextMessage())['chatId'], 1);
      client.sendSections({ send: [{ id: 11, sid: peer, rid: mid, text: 'two', more: [1.5] }] });
      const [message] = await wire.messages(1);
      assert.deepEqual([message?.chatId, message?.from, message?.to], [2, peer, mid]);
      assert.deepEqual(JSON.parse(message?.text ?? ''), {
        id: 11,
        sid: peer,
        rid: mid,
        text: 'two',
        more: [1.5],
      });
      assert.equal(await wire.say(peer, 'three'), 3);
      await Promise.all([client.close(), wire.end()]);
    });

    test(`what a mid sends in messaging reaches its own connections over ${kind}`, async () => {
      const mid = bench.mid(0);
      const [wire, client] = [await bench.connect(kind, mid), await connectMessaging(bench, mid)];
      client.send(bench.mid(1), { text: 'from elsewhere' });
      assert.equal((await wire.messages(1))[0]?.from, mid);
      await Promise.all([client.close(), wire.end()]);
    });

    test(`a later connection of the same device replaces the earlier one with 4409, over ${kind} and across protocols`, async () => {
      const mid = bench.mid();
      const others = cometKinds.map((each) => () => bench.connect(each, mid, 'phone'));
      const first = await bench.connect(kind, mid, 'phone');
      const bystander = await bench.connect(kind, mid, 'laptop');
      let earlier: { closed: Promise<{ code: number }> } = first;
      for (const connect of [
        ...others,
        () => connectMessaging(bench, mid, { deviceId: 'phone' }),
        () => bench.connect(kind, mid, 'phone'),
      ]) {
        const later = await connect();
        assert.equal((await within(earlier.closed, 'end')).code, 4409);
        earlier = later;
      }
      assert.ok(!(earlier instanceof MessagingClient));
      await bystander.beat();
      await bystander.end();
    });

    test(`connections without a device live side by side, with named ones and with messaging, over ${kind}`, async () => {
      const mid = bench.mid();
      const wires = await Promise.all([1, 2, 3].map(() => bench.connect(kind, mid)));
      const named = await bench.connect(kind, mid, 'phone');
      const client = await connectMessaging(bench, mid);
      const from = await bench.connect('tcp');
      await from.say(mid, 'to all');
      for (const wire of [...wires, named]) assert.deepEqual(await wire.texts(1), ['to all']);
      assert.equal((await client.nextMessage())['text'], 'to all');
      await client.close();
      for (const wire of [...wires, named, from]) await wire.end();
    });

    test(`a replaced device gets what was missed, once, over ${kind}`, async () => {
      const [from, to] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
      const first = await bench.connect(kind, to, 'phone');
      await from.say(to, 'one');
      assert.deepEqual(await first.texts(1), ['one']);
      const second = await bench.connect(kind, to, 'phone');
      await first.closed;
      await from.say(to, 'two');
      assert.deepEqual(
        (await second.messages(1)).map(({ chatId }) => chatId),
        [2],
      );
      await Promise.all([from.end(), second.end()]);
    });
  }

  test('in messaging the latest connection without a device wins', async () => {
    const mid = bench.mid();
    const first = await connectMessaging(bench, mid);
    const second = await connectMessaging(bench, mid);
    assert.equal((await within(first.closed, 'end')).code, 4409);
    await second.close();
  });

  test('delivered in messaging is delivered for comet', async () => {
    const [from, to] = [await bench.connect('tcp', bench.mid(0)), bench.mid(1)];
    const client = await connectMessaging(bench, to);
    await from.say(to, 'one');
    await client.nextMessage();
    const connections = bench.server.connections;
    await client.close();
    while (bench.server.connections >= connections) await new Promise((resolve) => setImmediate(resolve));
    const wire = await bench.connect('tcp', to);
    await wire.beat();
    await from.say(to, 'two');
    assert.deepEqual(await wire.texts(1), ['two']);
    await Promise.all([from.end(), wire.end()]);
  });

  test('only the canonical decimal form of a mid is that mid', async () => {
    const mid = bench.mid();
    const [wire, peer] = [await bench.connect('tcp', mid), await connectMessaging(bench, `peer of ${mid}`)];
    for (const name of [`0${mid}`, `${mid}.0`, ` ${mid}`, `+${mid}`]) {
      const client = await connectMessaging(bench, name);
      peer.send(name, {});
      assert.equal((await client.nextMessage())['rid'], name);
      await client.close();
    }
    await wire.beat(); // nothing came
    const big = await connectMessaging(bench, '2147483648');
    big.send(mid, { text: 'from a string client' });
    const [message] = await wire.messages(1);
    assert.deepEqual([message?.from, message?.to], [0, mid]);
    await Promise.all([big.close(), peer.close(), wire.end()]);
  });

  test('a group is one conversation in both protocols, and a gid is no mid', async () => {
    const [one, two, three] = [bench.mid(0), bench.mid(1), bench.mid(2)];
    const gid = three;
    await putGroup(bench, gid, [one, two]);
    const [wire, client] = [await bench.connect('ws-json', one), await connectMessaging(bench, two)];
    const outsider = await bench.connect('tcp', three);
    assert.equal(await wire.say(gid, 'from comet', 20), 1);
    const message = await client.nextMessage();
    assert.deepEqual(message, { id: `g:${gid}:1`, sid: one, rid: `#${gid}`, chatId: 1, text: 'from comet' });
    client.sendToGroup(gid, { text: 'from messaging' });
    const [answer] = await wire.messages(1);
    assert.deepEqual([answer?.group, answer?.to, answer?.chatId, answer?.from], [true, gid, 2, two]);
    await outsider.beat();
    await client.close();
    await Promise.all([wire.end(), outsider.end()]);
  });

  test('named channels and string clients in groups are refused with not_supported', async () => {
    const [named, numbered] = [
      await connectMessaging(bench, 'ann'),
      await connectMessaging(bench, bench.mid()),
    ];
    named.send('#7', {});
    assert.equal((await named.nextError()).error, 'not_supported');
    numbered.send('#news', {});
    assert.equal((await numbered.nextError()).error, 'not_supported');
    await Promise.all([named.close(), numbered.close()]);
  });
});
