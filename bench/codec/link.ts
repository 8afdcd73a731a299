import { deserialize, serialize } from 'node:v8';
import { Packr } from 'msgpackr';
import { decodeBatch, encodeBatch, Op, packFrameHead } from '../../src/actor/frames.ts';
import { actorLimits } from '../../src/actor/limits.ts';
import { Outbox } from '../../src/actor/outbox.ts';
import type { SendRequest } from '../../src/user/messages.ts';
import { Origin, PayloadKind } from '../../src/wire/run.ts';
import type { Group } from './case.ts';
import { FROM, messageRuns, MESSAGES, payload } from './messages.ts';

/** What a shard tells another for 100 messages to 100 users: who asks, numbers, bytes. */
const requests = messageRuns(MESSAGES, PayloadKind.text, payload, Origin.comet).map(
  (run, i): SendRequest => ({
    replyTo: { user: FROM, shard: 0, connection: i, ticket: i, count: 1 },
    from: FROM,
    to: i,
    run: { ...run, bytes: Buffer.from(run.bytes) },
    echo: false,
    id: null,
  }),
);
const KIND = 1;
const MESSAGE = 2;

/** As a link does: through its queue into one batch, and out of it. */
const outbox = new Outbox(actorLimits);
let acknowledged = 0;
function linkBatch(): ArrayBuffer {
  const head = packFrameHead(Op.tell, KIND, MESSAGE);
  for (let i = 0; i < MESSAGES; i++) outbox.push(head, i, requests[i], 0, 0);
  const batch = encodeBatch(outbox.take());
  outbox.acknowledge((acknowledged += MESSAGES));
  return batch;
}

const framed = requests.map((body, to) => ({ op: Op.tell, kind: KIND, message: MESSAGE, to, body }));
const packr = new Packr();
const baseline = 'msgpackr of objects';

/** JSON has no bytes: they become base64. */
const toJson = (): string =>
  JSON.stringify(
    framed.map(({ body: { run, ...body }, ...rest }) => ({
      ...rest,
      body: { ...body, run: { ...run, bytes: run.bytes.toString('base64') } },
    })),
  );
function fromJson(json: string): void {
  const back = JSON.parse(json) as { body: { run: { bytes: string } } }[];
  for (const { body } of back) Buffer.from(body.run.bytes, 'base64');
}

export const link: Group = {
  title: 'a link batch of 100 requests, there and back',
  cases: [
    {
      name: baseline,
      messages: MESSAGES,
      bytes: packr.pack(framed).length,
      run: () => void packr.unpack(packr.pack(framed)),
    },
    {
      name: 'the link',
      baseline,
      messages: MESSAGES,
      bytes: linkBatch().byteLength,
      run: () => void decodeBatch(linkBatch()),
    },
    {
      name: 'v8.serialize',
      baseline,
      messages: MESSAGES,
      bytes: serialize(framed).length,
      run: () => void deserialize(serialize(framed)),
    },
    {
      name: 'JSON with base64',
      baseline,
      messages: MESSAGES,
      bytes: toJson().length,
      run: () => fromJson(toJson()),
    },
  ],
};
