/*
 * What the codecs cost, alone and on one thread: `npm run bench`. Every row handles many messages
 * in one operation, as a tick does; a message has 64 bytes of payload.
 */
import { deserialize, serialize } from 'node:v8';
import { Packr } from 'msgpackr';
import { Bench } from 'tinybench';
import { limits } from '../src/limits.ts';
import { batchByteLength, isSendBody, sendFrom, sendMsgStart } from '../src/wire/comet-binary.ts';
import { sendTo, writeBatch } from '../src/wire/comet-binary.ts';
import { encodeBatch, parseRequest } from '../src/wire/comet-json.ts';
import { FrameDecoder } from '../src/wire/frame-decoder.ts';
import type { FrameSink } from '../src/wire/frame-decoder.ts';
import { HEADER_BYTES, writeHeader, writeInt32 } from '../src/wire/frame.ts';
import { encodeNotifications, parseSections } from '../src/wire/messaging.ts';
import { Op } from '../src/wire/op.ts';
import { RunBuilder } from '../src/wire/run-builder.ts';
import { Origin, PayloadKind, numberRun } from '../src/wire/run.ts';
import type { Run } from '../src/wire/run.ts';

const SLAB_BYTES = 65_536;
const BODY_BYTES = 64;
const MESSAGES = 100;
const TASK_MS = 1_000;

const text = 'a message of sixty-four bytes, which is what the others measure.';
const payload = Buffer.from(text);

interface Row {
  readonly name: string;
  readonly messages: number;
  readonly bytes: number;
}

const rows: Row[] = [];
const bench = new Bench({ time: TASK_MS, warmupTime: 300 });

/** One operation of `run` handles so many messages, and so many bytes of encoded form. */
function measure(name: string, messages: number, bytes: number, run: () => void): void {
  rows.push({ name, messages, bytes });
  bench.add(name, run);
}

/** A slab of whole op 18 packages with a body of 64 bytes. */
function requestSlab(): Buffer {
  const packageLength = HEADER_BYTES + BODY_BYTES;
  const slab = Buffer.alloc(SLAB_BYTES - (SLAB_BYTES % packageLength), payload);
  for (let at = 0; at < slab.length; at += packageLength) {
    const body = writeHeader(slab, at, packageLength, 1, Op.send, at);
    writeInt32(slab, body, 21);
    writeInt32(slab, body + 4, 22);
  }
  return slab;
}

/** Checks what a session checks of op 18: its body, sender and receiver. */
class CheckingSink implements FrameSink {
  good = 0;
  onFrame(op: number, version: number, _seq: number, buf: Buffer, at: number, end: number): boolean {
    if (op !== Op.send || version >>> 1 !== 0 || !isSendBody(at, end)) return false;
    if (sendFrom(buf, at) !== 21 || sendTo(buf, at) <= 0) return false;
    this.good += 1;
    return true;
  }
}

/** The same, and puts the messages into runs of 64 KiB. */
class BuildingSink implements FrameSink {
  readonly builder = new RunBuilder();
  onFrame(op: number, _version: number, _seq: number, buf: Buffer, at: number, end: number): boolean {
    if (!isSendBody(at, end)) return false;
    this.builder.add(op, sendFrom(buf, at), sendTo(buf, at), buf, sendMsgStart(at), end);
    return true;
  }
}

/** `runs` runs with MESSAGES messages in all. */
function messageRuns(runs: number, kind: PayloadKind, msg: Buffer, origin: Origin): Run[] {
  const builder = new RunBuilder();
  return Array.from({ length: runs }, (_, i) => {
    for (let n = 0; n < MESSAGES / runs; n++) builder.add(Op.send, i + 1, 9999, msg, 0, msg.length);
    const run = builder.finish(kind, origin, Date.now());
    numberRun(run, 1_000);
    return run;
  });
}

function addDecoding(): void {
  const slab = requestSlab();
  const frames = slab.length / (HEADER_BYTES + BODY_BYTES);
  const decoder = new FrameDecoder(limits.packageBytesMax);
  const checking = new CheckingSink();
  measure('binary: decode and check op 18', frames, slab.length, () => {
    decoder.decode(slab, 0, slab.length, checking);
  });
  const building = new BuildingSink();
  measure('binary: decode op 18 into a run', frames, slab.length, () => {
    decoder.decode(slab, 0, slab.length, building);
    building.builder.finish(PayloadKind.bytes, Origin.comet, 0);
  });
  const request = JSON.stringify({ ver: 1, op: 18, seq: 7, body: { from: 21, to: 22, msg: text } });
  measure('comet JSON: decode op 18, text', 1, request.length, () => void parseRequest(request));
  const value = JSON.stringify({
    ver: 1,
    op: 18,
    seq: 7,
    body: { from: 21, to: 22, msg: { text } },
  });
  measure('comet JSON: decode op 18, json', 1, value.length, () => void parseRequest(value));
  const send = Array.from({ length: 10 }, (_, id) => ({ id, sid: 21, rid: 22, text }));
  const sections = JSON.stringify({ send });
  measure('messaging: decode send of 10', 10, sections.length, () => void parseSections(sections));
}

function addEncoding(): void {
  const out = Buffer.alloc(SLAB_BYTES);
  const one = messageRuns(1, PayloadKind.text, payload, Origin.comet);
  const many = messageRuns(MESSAGES, PayloadKind.text, payload, Origin.comet);
  const length = batchByteLength(one);
  measure('binary: op 9 of 100, one run', MESSAGES, length, () => void writeBatch(out, 0, one));
  measure('binary: op 9 of 100, 100 runs', MESSAGES, length, () => void writeBatch(out, 0, many));
  // Strings are made of parts until they are read: sending them is a part of what they cost.
  const json = (): number => out.write(encodeBatch(many));
  measure('comet JSON: op 9 of 100', MESSAGES, json(), () => void json());
  const raw = Buffer.from(JSON.stringify({ id: 'm-123456', sid: 21, rid: 22, text }));
  const messaging = messageRuns(MESSAGES, PayloadKind.json, raw, Origin.messaging);
  const forward = (runs: Run[]): number => {
    const texts = encodeNotifications(runs, limits.notificationMessagesMax, limits.notificationBytesMax);
    return texts.reduce((bytes, notification) => bytes + out.write(notification), 0);
  };
  measure('messaging: 100 forwarded', MESSAGES, forward(messaging), () => void forward(messaging));
  measure('messaging: 100 from comet', MESSAGES, forward(many), () => void forward(many));
}

/** What a shard sends another for 100 messages of 100 conversations: numbers, a key, bytes. */
function addLink(): void {
  const appends = messageRuns(MESSAGES, PayloadKind.text, payload, Origin.comet).map((run, i) => ({
    type: 3,
    ask: i,
    to: `p:${i}:9999`,
    run: { ...run, bytes: Buffer.from(run.bytes) },
  }));
  const packr = new Packr();
  const packed = packr.pack(appends).length;
  measure('link: msgpackr, pack and unpack', MESSAGES, packed, () => {
    packr.unpack(packr.pack(appends));
  });
  measure('link: v8.serialize, deserialize', MESSAGES, serialize(appends).length, () => {
    deserialize(serialize(appends));
  });
  const base64 = appends.map(({ run, ...rest }) => ({
    ...rest,
    run: { ...run, bytes: run.bytes.toString('base64') },
  }));
  measure('link: JSON, its bytes as base64', MESSAGES, JSON.stringify(base64).length, () => {
    const texts = appends.map(({ run, ...rest }) => ({
      ...rest,
      run: { ...run, bytes: run.bytes.toString('base64') },
    }));
    const back = JSON.parse(JSON.stringify(texts)) as typeof base64;
    for (const { run } of back) Buffer.from(run.bytes, 'base64');
  });
}

const grouped = (n: number): string => Math.round(n).toLocaleString('en-US');

addDecoding();
addEncoding();
addLink();
await bench.run();

console.table(
  rows.map(({ name, messages, bytes }) => {
    const result = bench.getTask(name)?.result;
    if (result?.state !== 'completed') throw new Error(`${name} did not complete`);
    // The mean time of an operation: the mean of rates would flatter the quick ones.
    const rate = 1_000 / result.latency.mean;
    return {
      codec: name,
      'ops/s': grouped(rate),
      'messages/s': grouped(rate * messages),
      'MB/s': grouped((rate * bytes) / 1e6),
      'ns a message': (1e9 / (rate * messages)).toFixed(1),
    };
  }),
);
