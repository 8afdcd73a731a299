import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonValue } from '../../src/client/index.ts';
import { cometKinds } from '../support/clients.ts';
import { Bench, refusal, type Wire } from '../support/comet.ts';

const int32s = [0, 1, -1, 2_147_483_647, -2_147_483_648];
const otherVersions = [2, -1, 102, 32_767, -32_768];
/** What is no request: made up, or the server's alone. */
const unknownOps = [
  0, 1, 3, 4, 5, 6, 8, 9, 10, 17, 19, 21, 23, 25, 26, 99, -1, 2_147_483_647, -2_147_483_648,
];

for (const kind of cometKinds) {
  describe(`requests over ${kind}`, () => {
    const bench = new Bench(2);
    const connect = (): Promise<Wire> => bench.connect(kind);

    test('op 2 is answered by op 3 without a body, with its seq and version', async () => {
      const wire = await connect();
      for (const seq of int32s) {
        for (const ver of [0, 1]) {
          wire.frame(2, seq, undefined, ver);
          const { body, ...head } = await wire.next();
          assert.deepEqual(head, { ver, op: 3, seq });
          assert.deepEqual(body, wire.isJson ? undefined : Buffer.alloc(0));
        }
      }
    });

    test('the body of op 2 is ignored', async () => {
      const wire = await connect();
      wire.jsonFrame(2, 4, { any: ['thing'] });
      assert.equal((await wire.next()).op, 3);
    });

    test('op 18 is answered by op 19, op 20 by op 21, with their seq and version', async () => {
      const wire = await connect();
      let chatId = 0;
      for (const seq of int32s) {
        for (const ver of [0, 1]) {
          wire.frame(18, seq, sendBody(wire, wire.mid, 7), ver);
          assert.deepEqual(await wire.reply(19, seq, ver), { ret: 0, chatId: (chatId += 1) });
          wire.frame(20, seq, sendBody(wire, wire.mid, 7), ver);
          assert.deepEqual(await wire.reply(21, seq, ver), refusal(kind, 'no_such_group'));
        }
      }
    });

    test('the same seq in two requests is answered twice', async () => {
      const wire = await connect();
      const to = bench.mid();
      for (let i = 0; i < 3; i++) wire.message(18, 5, to, 'x');
      for (let chatId = 1; chatId <= 3; chatId++)
        assert.deepEqual(await wire.reply(19, 5), { ret: 0, chatId });
    });

    for (const ver of otherVersions) {
      test(`version ${ver} is refused on each reply operation, nothing is carried out, the connection lives`, async () => {
        const [wire, to] = [await connect(), await connect()];
        const error = 'unsupported_version';
        wire.frame(18, 1, sendBody(wire, wire.mid, to.mid), ver);
        assert.deepEqual(await wire.reply(19, 1, ver), refusal(kind, error));
        wire.frame(20, 2, sendBody(wire, wire.mid, 7), ver);
        assert.deepEqual(await wire.reply(21, 2, ver), refusal(kind, error));
        for (const [op, replyOp] of [
          [2, 3],
          [7, 8],
          [99, 99],
        ] as const) {
          wire.frame(op, 3, undefined, ver);
          assert.deepEqual(await wire.reply(replyOp, 3, ver), { ret: -1, error });
        }
        assert.equal(await wire.say(to.mid, 'version 1'), 1);
        assert.deepEqual(await to.texts(1), ['version 1']);
      });
    }

    test('an unknown operation is answered with its own op and seq, and the connection lives', async () => {
      const wire = await connect();
      for (const [i, op] of unknownOps.entries()) {
        const seq = int32s[i % int32s.length] ?? 0;
        wire.jsonFrame(op, seq, { any: 'thing' }, i % 2);
        const { body, ...head } = await wire.next();
        assert.deepEqual(head, { ver: i % 2, op, seq });
        const json: unknown = wire.isJson ? body : JSON.parse(String(body as Buffer));
        assert.deepEqual(json, { ret: -1, error: 'unknown_operation' });
      }
      await wire.beat();
    });

    for (const op of [18, 20] as const) {
      test(`op ${op} from someone else is refused with bad_sender, and the connection lives`, async () => {
        const [wire, other] = [await connect(), await connect()];
        for (const from of [other.mid, wire.mid + 1_000_000, 0, -1, -wire.mid, -2_147_483_648]) {
          wire.message(op, 6, other.mid, 'forged', from);
          assert.deepEqual(await wire.reply(op + 1, 6), refusal(kind, 'bad_sender'), `from ${from}`);
        }
        assert.equal(await wire.say(other.mid, 'the first'), 1);
        assert.deepEqual(await other.texts(1), ['the first']);
      });

      test(`op ${op} to 0 or below is refused with bad_recipient, and the connection lives`, async () => {
        const wire = await connect();
        for (const to of [0, -1, -2_147_483_648]) {
          wire.message(op, 6, to, 'nowhere');
          assert.deepEqual(await wire.reply(op + 1, 6), refusal(kind, 'bad_recipient'), `to ${to}`);
        }
        await wire.beat();
      });

      for (const [name, body] of badBodies(kind)) {
        test(`op ${op} with ${name} is refused with bad_body, and the connection lives`, async () => {
          const wire = await connect();
          wire.frame(op, 6, typeof body === 'function' ? body(wire.mid) : body);
          assert.deepEqual(await wire.reply(op + 1, 6), refusal(kind, 'bad_body'));
          assert.equal(await wire.say(bench.mid(), 'good'), 1);
        });
      }
    }

    test('good and bad requests in a row are answered in the order of the requests', async () => {
      const wire = await connect();
      const receivers = Array.from({ length: 7 }, () => bench.mid());
      const counts = new Map<number, number>();
      const expected: unknown[] = [];
      for (let seq = 0; seq < 700; seq++) {
        const to = receivers[seq % 7] ?? 0;
        if (seq % 5 === 0) {
          wire.frame(99, seq);
          expected.push([99, seq, { ret: -1, error: 'unknown_operation' }]);
        } else if (seq % 5 === 1) {
          wire.message(20, seq, to, 'x');
          expected.push([21, seq, refusal(kind, 'no_such_group')]);
        } else if (seq % 5 === 2) {
          wire.message(18, seq, 0, 'x');
          expected.push([19, seq, refusal(kind, 'bad_recipient')]);
        } else {
          wire.message(18, seq, to, 'x');
          counts.set(to, (counts.get(to) ?? 0) + 1);
          expected.push([19, seq, { ret: 0, chatId: counts.get(to) }]);
        }
      }
      for (const [op, seq, body] of expected as [number, number, unknown][]) {
        assert.deepEqual(await wire.reply(op, seq), body, `seq ${seq}`);
      }
    });

    test('many more requests than may wait for an answer are all answered', async () => {
      const [wire, to] = [await connect(), await connect()];
      for (let seq = 0; seq < 5_000; seq++) wire.message(18, seq, to.mid, `${seq}`);
      for (let seq = 0; seq < 5_000; seq++)
        assert.deepEqual(await wire.reply(19, seq), { ret: 0, chatId: seq + 1 });
      const messages = await to.messages(5_000);
      for (const [i, { chatId, text }] of messages.entries())
        assert.deepEqual([chatId, text], [i + 1, `${i}`]);
    });
  });
}

describe('replies byte by byte', () => {
  const bench = new Bench(2);

  for (const kind of ['tcp', 'ws-binary'] as const) {
    test(`op 19 and 21 have a body of exactly nine bytes over ${kind}, done or refused`, async () => {
      const wire = await bench.connect(kind);
      wire.message(18, 1, bench.mid(), 'x');
      assert.equal(String((await wire.next()).body), '\0'.repeat(8) + '\x01');
      for (const op of [18, 20] as const) {
        wire.message(op, 2, 0, 'x');
        assert.deepEqual((await wire.next()).body, Buffer.from('ff0000000000000000', 'hex'));
      }
    });
  }
});

/** A good body, whatever the version. */
function sendBody(wire: Wire, from: number, to: number): unknown {
  if (wire.isJson) return { from, to, msg: '' };
  const body = Buffer.alloc(8);
  body.writeInt32BE(from, 0);
  body.writeInt32BE(to, 4);
  return body;
}

type Body = JsonValue | Buffer | ((mid: number) => JsonValue);

function badBodies(kind: string): [string, Body][] {
  if (kind !== 'ws-json') {
    return [
      ['no body', Buffer.alloc(0)],
      ['a body of 7 bytes', Buffer.alloc(7, 1)],
    ];
  }
  return [
    ['no body', null],
    ['a string as its body', 'x'],
    ['an array as its body', [1, 2, 'x']],
    ['no from', { to: 2, msg: 'x' }],
    ['no to', (mid) => ({ from: mid, msg: 'x' })],
    ['no msg', (mid) => ({ from: mid, to: 2 })],
    ['from as a string', (mid) => ({ from: String(mid), to: 2, msg: 'x' })],
    ['to as a string', (mid) => ({ from: mid, to: '2', msg: 'x' })],
    ['to with a fraction', (mid) => ({ from: mid, to: 2.5, msg: 'x' })],
    ['to over int32', (mid) => ({ from: mid, to: 2_147_483_648, msg: 'x' })],
    ['an enc that is unknown', (mid) => ({ from: mid, to: 2, msg: 'eA==', enc: 'hex' })],
    ['an enc of null', (mid) => ({ from: mid, to: 2, msg: 'eA==', enc: null })],
    ['enc and a msg that is no string', (mid) => ({ from: mid, to: 2, msg: 5, enc: 'base64' })],
    ['enc and a msg that is not base64', (mid) => ({ from: mid, to: 2, msg: 'a?b=', enc: 'base64' })],
    ['enc and base64 without its padding', (mid) => ({ from: mid, to: 2, msg: 'eA', enc: 'base64' })],
  ];
}
