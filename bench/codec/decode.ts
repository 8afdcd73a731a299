import { Packr, Unpackr } from 'msgpackr';
import { limits } from '../../src/limits.ts';
import { isSendBody, sendFrom, sendMsgStart, sendTo } from '../../src/wire/comet-binary.ts';
import { FrameDecoder, type FrameSink } from '../../src/wire/frame-decoder.ts';
import { HEADER_BYTES, writeHeader, writeInt32 } from '../../src/wire/frame.ts';
import { Op } from '../../src/wire/op.ts';
import { RunBuilder } from '../../src/wire/run-builder.ts';
import { Origin, PayloadKind } from '../../src/wire/run.ts';
import type { Case, Group } from './case.ts';
import { FROM, payload, TO } from './messages.ts';

const SLAB_BYTES = 65_536;
const ENDS_BYTES = 8; // sender and receiver

/** Checks what a session checks of op 18: its body, sender and receiver. */
class CheckingSink implements FrameSink {
  good = 0;
  onFrame(op: number, version: number, _seq: number, buf: Buffer, at: number, end: number): boolean {
    if (op !== Op.send || version >>> 1 !== 0 || !isSendBody(at, end)) return false;
    if (sendFrom(buf, at) !== FROM || sendTo(buf, at) <= 0) return false;
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

/** A slab of whole op 18 packages of so many bytes. */
function requestSlab(packageBytes: number): Buffer {
  const slab = Buffer.alloc(SLAB_BYTES - (SLAB_BYTES % packageBytes), payload);
  for (let at = 0; at < slab.length; at += packageBytes) {
    const body = writeHeader(slab, at, packageBytes, 1, Op.send, at);
    writeInt32(slab, body, FROM);
    writeInt32(slab, body + 4, TO);
  }
  return slab;
}

/** The content of such a slab, one msgpack object a message. */
function packedRequests(frames: number, msgBytes: number): Buffer {
  const packr = new Packr({ useRecords: false });
  const msg = Buffer.alloc(msgBytes, payload);
  const objects = Array.from({ length: frames }, (_, seq) => ({ op: Op.send, seq, from: FROM, to: TO, msg }));
  return Buffer.concat(objects.map((object) => Buffer.from(packr.pack(object))));
}

function casesOf(size: string, packageBytes: number): readonly Case[] {
  const slab = requestSlab(packageBytes);
  const frames = slab.length / packageBytes;
  const packed = packedRequests(frames, packageBytes - HEADER_BYTES - ENDS_BYTES);
  const unpackr = new Unpackr({ useRecords: false });
  const decoder = new FrameDecoder(limits.packageBytesMax);
  const checking = new CheckingSink();
  const building = new BuildingSink();
  const baseline = `msgpackr, ${size}`;
  return [
    {
      name: baseline,
      messages: frames,
      bytes: packed.length,
      run: () => unpackr.unpackMultiple(packed, () => {}),
    },
    {
      name: `decode and check op 18, ${size}`,
      baseline,
      messages: frames,
      bytes: slab.length,
      run: () => decoder.decode(slab, 0, slab.length, checking),
    },
    {
      name: `decode op 18 into a run, ${size}`,
      baseline,
      messages: frames,
      bytes: slab.length,
      run: () => {
        decoder.decode(slab, 0, slab.length, building);
        building.builder.finish(PayloadKind.bytes, Origin.comet, 0);
      },
    },
  ];
}

const FRAME_BYTES = 64;
const small = casesOf('frames of 64 bytes', FRAME_BYTES);
const large = casesOf('bodies of 64 bytes', HEADER_BYTES + FRAME_BYTES);

export const decoding: Group = { title: 'decoding a slab of 64 KiB', cases: [...small, ...large] };

/** What has to be quick: packages of 64 bytes, header included. */
export const decodeOf64Bytes = small[1]!;
