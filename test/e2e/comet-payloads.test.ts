import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodePackages } from '../../src/client/frames.ts';
import type { Frame } from '../../src/client/index.ts';
import { cometKinds } from '../support/clients.ts';
import { Bench, type Wire } from '../support/comet.ts';

/** The `msg` of a JSON request, and what is beside it, as written. */
interface Said {
  readonly name: string;
  readonly json: string;
  /** What binary clients get. */
  readonly bytes: Buffer;
  /** What JSON clients get, from `"msg":` on, as written; default: as it was sent. */
  readonly back?: string;
}

const asSent = (name: string, json: string): Said => ({ name, json, bytes: Buffer.from(json) });

const said: Said[] = [
  { name: 'a text', json: '"grüße 🙂"', bytes: Buffer.from('grüße 🙂') },
  { name: 'an empty text', json: '""', bytes: Buffer.alloc(0) },
  { name: 'a text with escapes', json: '"a\\"b\\\\\\u0000\\n"', bytes: Buffer.from('a"b\\\0\n') },
  { name: 'a text that looks like JSON', json: '"{\\"a\\":1}"', bytes: Buffer.from('{"a":1}') },
  asSent('an object', '{"a":[1,{"b":null}],"msg":"inner"}'),
  asSent('an array', '[1,"two",[3]]'),
  asSent('null', 'null'),
  asSent('true', 'true'),
  asSent('a number', '-1.5e3'),
  asSent('an integer that no double holds', '12345678901234567890'),
  asSent('a deep integer that no double holds', '{"n":[9007199254740993]}'),
  asSent('a number with a zero at its end', '1.0'),
  asSent('a number over every double', '1e999'),
  asSent('an object with spaces and twice the same key', '{ "a" : 1.0 ,  "a":2 }'),
  { name: 'base64 of what is no text', json: '"/wAB","enc":"base64"', bytes: Buffer.of(0xff, 0, 1) },
  { name: 'base64 of a text', json: '"aGk=","enc":"base64"', bytes: Buffer.from('hi'), back: '"hi"' },
  { name: 'base64 of nothing', json: '"","enc":"base64"', bytes: Buffer.alloc(0), back: '""' },
];

describe('what a JSON client sends', () => {
  const bench = new Bench(2);

  for (const { name, json, bytes, back = json } of said) {
    test(`${name} reaches JSON clients as ${json === back ? 'it was sent' : back}`, async () => {
      const [from, to] = [await bench.connect('ws-json'), await bench.connect('ws-json')];
      const text = nextText(to);
      sendJson(from, to.mid, json);
      assert.deepEqual(await from.reply(19, 1), { ret: 0, chatId: 1 });
      const head = `{"ver":1,"op":9,"seq":0,"body":[{"ver":1,"op":18,"seq":0,"body":{"chatId":1,`;
      assert.equal(await text, `${head}"from":${from.mid},"to":${to.mid},"msg":${back}}}]}`);
    });

    for (const kind of ['tcp', 'ws-binary'] as const) {
      test(`${name} reaches binary clients over ${kind} as ${bytes.length} bytes`, async () => {
        const [from, to] = [await bench.connect('ws-json'), await bench.connect(kind)];
        sendJson(from, to.mid, json);
        assert.deepEqual((await from.reply(19, 1)).ret, 0);
        assert.deepEqual(await binaryMessages(to), [{ op: 18, ids: [1, from.mid, to.mid], msg: bytes }]);
      });
    }

    test(`${name} comes the same from the log as live`, async () => {
      const from = await bench.connect('ws-json');
      const to = bench.mid();
      sendJson(from, to, json);
      assert.deepEqual((await from.reply(19, 1)).ret, 0);
      const binary = await bench.connect('ws-binary', to, 'late');
      assert.deepEqual(
        (await binaryMessages(binary)).map(({ msg }) => msg),
        [bytes],
      );
    });
  }
});

describe('what a binary client sends', () => {
  const bench = new Bench(2);
  const sent: [string, Buffer, string][] = [
    ['UTF-8', Buffer.from('grüße 🙂\n"\\'), '"grüße 🙂\\n\\"\\\\"'],
    ['nothing', Buffer.alloc(0), '""'],
    ['JSON text', Buffer.from('{"a":12345678901234567890}'), '"{\\"a\\":12345678901234567890}"'],
    ['bytes that are no UTF-8', Buffer.from('ff000180', 'hex'), '"/wABgA==","enc":"base64"'],
    ['half a character', Buffer.from('c3', 'hex'), '"ww==","enc":"base64"'],
    ['an overlong character', Buffer.from('c080', 'hex'), '"wIA=","enc":"base64"'],
    ['half a surrogate pair', Buffer.from('eda080', 'hex'), '"7aCA","enc":"base64"'],
  ];

  for (const kind of ['tcp', 'ws-binary'] as const) {
    for (const [name, bytes, json] of sent) {
      test(`${name} over ${kind} reaches JSON clients as ${json}`, async () => {
        const [from, to] = [await bench.connect(kind), await bench.connect('ws-json')];
        const text = nextText(to);
        await from.say(to.mid, bytes);
        assert.ok((await text).endsWith(`"msg":${json}}}]}`), await text);
      });

      for (const other of ['tcp', 'ws-binary'] as const) {
        test(`${name} over ${kind} reaches binary clients over ${other} untouched`, async () => {
          const [from, to] = [await bench.connect(kind), await bench.connect(other)];
          await from.say(to.mid, bytes);
          assert.deepEqual(await binaryMessages(to), [{ op: 18, ids: [1, from.mid, to.mid], msg: bytes }]);
        });
      }
    }
  }
});

describe('messages of one run', () => {
  const bench = new Bench(2);

  test('different kinds one after another keep their kinds and their order', async () => {
    const [from, to] = [await bench.connect('ws-json'), await bench.connect('ws-json')];
    const texts = said.map(({ json }) => json);
    for (const json of texts) sendJson(from, to.mid, json);
    for (let chatId = 1; chatId <= texts.length; chatId++)
      assert.equal((await from.reply(19, 1)).chatId, chatId);
    const messages = await to.messages(texts.length);
    assert.deepEqual(
      messages.map(({ chatId }) => chatId),
      texts.map((_, i) => i + 1),
    );
    for (const [i, { name, bytes, json }] of said.entries()) {
      const { msg } = messages[i] ?? { msg: null };
      if (json.includes('base64')) assert.deepEqual(Buffer.from(msg as Buffer | string), bytes, name);
      else assert.deepEqual(msg, JSON.parse(json), name);
    }
  });

  for (const kind of cometKinds) {
    test(`the largest message that fits arrives over ${kind}`, async () => {
      const [from, to] = [await bench.connect(kind), await bench.connect(kind)];
      const msg = kind === 'ws-json' ? '\u0001'.repeat(10_000) : Buffer.alloc(65_512, 0xff);
      await from.say(to.mid, msg);
      assert.deepEqual((await to.messages(1))[0]?.msg, msg);
    });
  }
});

function sendJson(wire: Wire, to: number, json: string): void {
  wire.client.sendRaw(`{"ver":1,"op":18,"seq":1,"body":{"from":${wire.mid},"to":${to},"msg":${json}}}`);
}

function nextText(wire: Wire): Promise<string> {
  const { socket } = wire.client;
  return new Promise((resolve) => socket.once('message', (data: Buffer) => resolve(String(data))));
}

interface BinaryMessage {
  readonly op: number;
  readonly ids: [number, number, number];
  readonly msg: Buffer;
}

async function binaryMessages(wire: Wire): Promise<BinaryMessage[]> {
  const frame = (await wire.next()) as Frame<Buffer>;
  assert.deepEqual([frame.op, frame.seq, frame.ver], [9, 0, 1]);
  return decodePackages(frame.body).map(({ op, seq, ver, body }) => {
    assert.deepEqual([seq, ver], [0, 1]);
    const ids: [number, number, number] = [
      Number(body.readBigInt64BE(0)),
      body.readInt32BE(8),
      body.readInt32BE(12),
    ];
    return { op, ids, msg: body.subarray(16) };
  });
}
