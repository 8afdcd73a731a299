import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Server } from '../../src/server.ts';
import { putGroup } from '../support/admin.ts';
import { cometKinds, connectComet, connectMessaging, connectTcp } from '../support/clients.ts';
import { Ids } from '../support/ids.ts';
import { until } from '../support/messaging.ts';
import { startTestServer } from '../support/server.ts';
import { groupKey, Numbers, Stream } from '../support/streams.ts';

const ids = new Ids(2);
let server: Server;

before(async () => (server = await startTestServer()));
after(() => server.close());

for (const kind of [...cometKinds, 'messaging'] as const) {
  test(`What is sent while a client closes its connection is not lost: it comes on the next one (${kind}).`, async () => {
    const [mid, gid] = [ids.mid(1), ids.mid(0)];
    const sender = await connectTcp(server, ids.mid(0));
    await putGroup(server, gid, [mid, sender.mid]);
    const numbers = new Numbers();
    const streams: Stream[] = [];
    const texts = new Set<string>();
    let sending = true;
    const talk = async (): Promise<void> => {
      for (let i = 0; sending; i++)
        numbers.add(groupKey(gid), await sender.sendToGroup(gid, `message ${i}`), `message ${i}`);
    };
    const talking = talk();
    for (let round = 0; round < 60; round++) {
      const client =
        kind === 'messaging' ? await connectMessaging(server, mid) : await connectComet(kind, server, mid);
      const stream = new Stream(mid, client);
      const some = new Promise<void>((resolve) => {
        stream.onSeen = () => {
          texts.add(stream.seen.at(-1)?.text ?? '');
          if (stream.seen.length >= 2) resolve();
        };
      });
      streams.push(stream);
      await stream.begin();
      if (round === 59) {
        sending = false;
        await talking;
        const all = numbers.textsOf(groupKey(gid));
        await until(() => texts.size === all.size, 'everything has come');
        assert.deepEqual([...texts].sort(), [...all.values()].sort());
      } else await some;
      await client.close();
    }
    for (const stream of streams) numbers.assertStream(stream, () => false);
    // What crossed a close comes again, but not all that came before it. A FIN crosses nothing.
    const again = streams.reduce((count, { seen }) => count + seen.length, -texts.size);
    assert.ok(again <= (kind === 'tcp' ? 0 : texts.size / 3), `${again} of ${texts.size} came again`);
    await sender.close();
  });
}
