import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Codec, Link } from '../../bench/load/codecs/codec.ts';
import { CometJsonCodec } from '../../bench/load/codecs/comet-json.ts';
import { CometCodec } from '../../bench/load/codecs/comet.ts';
import { MqttCodec } from '../../bench/load/codecs/mqtt.ts';
import { NatsCodec } from '../../bench/load/codecs/nats.ts';
import { SocketIoCodec } from '../../bench/load/codecs/socket-io.ts';
import { Phase } from '../../bench/load/codecs/web-socket.ts';
import { binaryHead, textHead } from '../../bench/load/generator/payload.ts';

/** Notes what a codec tells its connection. */
class NotingLink implements Link {
  readonly id = 1;
  receives = true;
  phase = 0;
  readonly notes: string[] = [];
  readonly #codec: Codec;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  say(bytes: Buffer): void {
    this.notes.push(`say ${bytes.length}`);
  }

  ready(): void {
    this.notes.push('ready');
  }

  message(buf: Buffer, at: number): void {
    const { head } = this.#codec;
    this.notes.push(`message ${head.sender(buf, at)}:${head.seq(buf, at)} at ${head.micros(buf, at)}`);
  }

  reply(taken: boolean): void {
    this.notes.push(taken ? 'taken' : 'refused');
  }
}

const PAYLOAD_BYTES = 32;

function payload(codec: Codec, sender: number, seq: number, micros: number): Buffer {
  const bytes = Buffer.alloc(PAYLOAD_BYTES, 'x');
  codec.head.write(bytes, 0, sender, seq, micros);
  return bytes;
}

/** Gives the codec these bytes `step` at a time, something foreign in front and nothing yet behind. */
function scan(codec: Codec, link: NotingLink, bytes: Buffer, step: number): void {
  const offset = 7;
  const whole = Buffer.concat([Buffer.alloc(offset, '~'), bytes]);
  const buf = Buffer.alloc(whole.length);
  let start = offset;
  for (let end = offset; end < whole.length;) {
    end = Math.min(end + step, whole.length);
    whole.copy(buf, 0, 0, end);
    start = codec.scan(link, buf, start, end);
  }
  assert.equal(start, whole.length);
}

function notes(codec: Codec, bytes: Buffer, before: (link: NotingLink) => void = () => {}): string[] {
  const [whole, slow] = [bytes.length, 1].map((step) => {
    const link = new NotingLink(codec);
    before(link);
    scan(codec, link, bytes, step);
    return link.notes;
  });
  assert.deepEqual(slow, whole, 'one byte at a time');
  return whole!;
}

const open = (link: NotingLink): void => {
  link.phase = Phase.open;
};

/** A server's text message. */
function serverText(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text as string);
  const head = bytes.length < 126 ? [0x81, bytes.length] : [0x81, 126, bytes.length >> 8, bytes.length & 255];
  return Buffer.concat([Buffer.from(head), bytes]);
}

const upgraded = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n');

describe('comet', () => {
  const codec = new CometCodec('user');
  const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
  const received = (seq: number): Buffer =>
    Buffer.concat([
      hex('00000040 0010 0001 00000012 00000000 0000000000000001 00000002 00000001'),
      payload(codec, 2, seq, 5),
    ]);

  test('authentication, replies and the messages of a batch are told apart', () => {
    const authenticated = Buffer.concat([
      hex('00000021 0010 0001 00000008 00000001'),
      Buffer.from('{"ret":0,"mid":1}'),
    ]);
    const batch = hex('00000090 0010 0001 00000009 00000000');
    const taken = hex('00000019 0010 0001 00000013 00000001 00 0000000000000001');
    const refused = hex('00000019 0010 0001 00000015 00000001 ff 0000000000000000');
    const bytes = Buffer.concat([authenticated, batch, received(1), received(2), taken, refused]);
    assert.deepEqual(notes(codec, bytes), [
      'ready',
      'message 2:1 at 5',
      'message 2:2 at 5',
      'taken',
      'refused',
    ]);
  });

  test('a refused authentication and a farewell are errors', () => {
    const refused = Buffer.from('{"ret":-1,"error":"not_authenticated"}');
    const bytes = Buffer.concat([hex('00000036 0010 0001 00000008 00000001'), refused]);
    assert.throws(() => notes(codec, bytes), /refused/);
    assert.throws(() => notes(codec, hex('00000012 0010 0001 00000006 00000000 7b7d')), /operation 6: \{\}/);
  });

  test('a frame of 64 bytes of payload is the op 18 or 20 that docs/protocol.md describes', () => {
    const { bytes, payloadAt } = codec.frame(1, 2, 64);
    assert.equal(
      bytes.subarray(0, payloadAt).toString('hex'),
      '000000580010000100000012000000010000000100000002',
    );
    assert.equal(bytes.length, 0x58);
    const group = new CometCodec('group').frame(3, 0, 64);
    assert.equal(group.bytes.readInt32BE(8), 20);
    assert.equal(group.bytes.readInt32BE(20), 1);
  });
});

describe('NATS', () => {
  const codec = new NatsCodec('user');
  const message = (seq: number): Buffer =>
    Buffer.concat([Buffer.from('MSG u.1 1 32\r\n'), payload(codec, 2, seq, 10), Buffer.from('\r\n')]);

  test('a message may hold line ends; PING is answered, the first PONG means ready', () => {
    const other = Buffer.from('INFO {"a":1}\r\nPONG\r\nPING\r\nPONG\r\n');
    const bytes = Buffer.concat([other, message(0x0d0a), message(2)]);
    assert.deepEqual(notes(codec, bytes), ['ready', 'say 6', 'message 2:3338 at 10', 'message 2:2 at 10']);
  });

  test('-ERR is an error', () => {
    assert.throws(() => notes(codec, Buffer.from("-ERR 'Slow Consumer'\r\n")), /Slow Consumer/);
  });

  test('only receivers subscribe', () => {
    assert.match(codec.hello(5, true).toString(), /SUB u\.5 1\r\nPING\r\n$/);
    assert.doesNotMatch(codec.hello(5, false).toString(), /SUB/);
    assert.equal(codec.frame(1, 2, 3).bytes.toString(), 'PUB u.2 3\r\nxxx\r\n');
  });
});

describe('MQTT', () => {
  const codec = new MqttCodec('user');

  test('a receiver is ready when it is subscribed, a sender when it is connected', () => {
    const connected = Buffer.from([0x20, 2, 0, 0]);
    const subscribed = Buffer.from([0x90, 3, 0, 1, 0]);
    const sender = (link: NotingLink): void => {
      link.receives = false;
    };
    assert.deepEqual(notes(codec, Buffer.concat([connected, subscribed])), ['ready']);
    assert.deepEqual(notes(codec, connected), []);
    assert.deepEqual(notes(codec, connected, sender), ['ready']);
    assert.throws(() => notes(codec, Buffer.from([0x20, 2, 0, 5])), /refused: 5/);
  });

  test('lengths may take two bytes', () => {
    const long = Buffer.concat([payload(codec, 2, 7, 9), Buffer.alloc(200)]);
    const bytes = Buffer.concat([
      Buffer.from([0x30, 0xed, 0x01, 0, 3]),
      Buffer.from('u.1'),
      long,
      Buffer.from([0x30, 37, 0, 3]),
      Buffer.from('u.1'),
      payload(codec, 2, 8, 9),
    ]);
    assert.deepEqual(notes(codec, bytes), ['message 2:7 at 9', 'message 2:8 at 9']);
    const { bytes: sent, payloadAt } = codec.frame(1, 2, 200);
    assert.deepEqual([...sent.subarray(0, payloadAt)], [0x30, 0xcd, 0x01, 0, 3, 0x75, 0x2e, 0x32]);
  });
});

describe('comet JSON over WebSocket', () => {
  const codec = new CometJsonCodec('user', PAYLOAD_BYTES);
  const received = (seq: number): string =>
    `{"ver":1,"op":18,"seq":0,"body":{"chatId":1,"from":2,"to":1,"msg":"${payload(codec, 2, seq, 3).toString()}"}}`;

  test('after the upgrade it authenticates, then it is ready', () => {
    const bytes = Buffer.concat([upgraded, serverText('{"ver":1,"op":8,"seq":1,"body":{"ret":0,"mid":1}}')]);
    const [said, ready] = notes(codec, bytes);
    assert.match(said!, /^say /);
    assert.equal(ready, 'ready');
  });

  test('the messages of a batch, and replies', () => {
    const bytes = Buffer.concat([
      serverText(`{"ver":1,"op":9,"seq":0,"body":[${received(1)},${received(2)}]}`),
      serverText('{"ver":1,"op":19,"seq":1,"body":{"ret":0,"chatId":9}}'),
      serverText('{"ver":1,"op":21,"seq":1,"body":{"ret":-1,"chatId":0,"error":"overloaded"}}'),
      Buffer.from([0x89, 1, 0x78]), // a ping
    ]);
    assert.deepEqual(notes(codec, bytes, open), [
      'message 2:1 at 3',
      'message 2:2 at 3',
      'taken',
      'refused',
      'say 7',
    ]);
  });

  test('a refused upgrade and a close are errors', () => {
    assert.throws(() => notes(codec, Buffer.from('HTTP/1.1 404 Not Found\r\n\r\n')), /404/);
    assert.throws(() => notes(codec, Buffer.from([0x88, 2, 0x03, 0xe9]), open), /closed with 1001/);
  });

  test('what it sends is one masked text frame of JSON', () => {
    const { bytes, payloadAt } = codec.frame(1, 2, 64);
    const headBytes = 6;
    assert.deepEqual([bytes[0], bytes[1]], [0x81, 0x80 | (bytes.length - headBytes)]);
    assert.equal(bytes.readUInt32BE(2), 0); // the mask
    codec.head.write(bytes, payloadAt, 1, 2, 3);
    const value = JSON.parse(bytes.toString('utf8', headBytes)) as { op: number; body: { msg: string } };
    assert.equal(value.op, 18);
    assert.equal(value.body.msg.length, 64);
    assert.equal(textHead.seq(Buffer.from(value.body.msg), 0), 2);
  });
});

describe('Socket.IO', () => {
  const codec = new SocketIoCodec('group');

  test('it connects when the server has opened, answers pings, and finds the payload of an event', () => {
    const bytes = Buffer.concat([
      upgraded,
      serverText('0{"sid":"a","pingInterval":25000}'),
      serverText('40{"sid":"b"}'),
      serverText('2'),
      serverText(`42["message","${payload(codec, 2, 1, 4).toString()}"]`),
    ]);
    const said = notes(codec, bytes);
    assert.match(said[0]!, /^say /);
    assert.deepEqual(said.slice(1), ['ready', 'say 7', 'message 2:1 at 4']);
  });

  test('a refused connect is an error', () => {
    assert.throws(() => notes(codec, serverText('44{"message":"no"}'), open), /44/);
  });
});

describe('the head of a payload', () => {
  for (const [name, head] of Object.entries({ binaryHead, textHead })) {
    test(`${name} gives back what was written, up to 32 bits`, () => {
      const buf = Buffer.alloc(100);
      head.write(buf, 3, 0xffff_ffff, 0x8000_0001, 0x1234_5678);
      assert.deepEqual(
        [head.sender(buf, 3), head.seq(buf, 3), head.micros(buf, 3)],
        [0xffff_ffff, 0x8000_0001, 0x1234_5678],
      );
      assert.ok(buf.subarray(3 + head.byteLength).every((byte) => byte === 0));
    });
  }
});
