import type { FrameSink } from '../../src/wire/frame-decoder.ts';

/** A frame as a sink got it, its body copied. */
export interface SeenFrame {
  readonly op: number;
  readonly version: number;
  readonly seq: number;
  readonly body: string;
}

/** Keeps what it gets, bodies as hex; says stop after each frame for which `goOn` says false. */
export class FrameRecorder implements FrameSink {
  readonly frames: SeenFrame[] = [];
  readonly #goOn: (count: number) => boolean;

  constructor(goOn: (count: number) => boolean = () => true) {
    this.#goOn = goOn;
  }

  onFrame(op: number, version: number, seq: number, buf: Buffer, start: number, end: number): boolean {
    this.frames.push({ op, version, seq, body: buf.toString('hex', start, end) });
    return this.#goOn(this.frames.length);
  }
}

/** Bytes of hex in which spaces only help the reader. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}
