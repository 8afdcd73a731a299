/**
 * What every payload begins with: its sender, its number with that sender (1, 2, ...) and when it was
 * sent, in microseconds of the generator's clock, each an unsigned 32-bit number. Time wraps after 71
 * minutes, so only differences of it mean something.
 */
export interface PayloadHead {
  /** Bytes of the head: no payload is smaller. */
  readonly byteLength: number;
  write(buf: Buffer, at: number, sender: number, seq: number, micros: number): void;
  sender(buf: Buffer, at: number): number;
  seq(buf: Buffer, at: number): number;
  micros(buf: Buffer, at: number): number;
}

const u32 = (buf: Buffer, at: number): number =>
  ((buf[at]! << 24) | (buf[at + 1]! << 16) | (buf[at + 2]! << 8) | buf[at + 3]!) >>> 0;

/** For protocols whose payloads are bytes: three big-endian numbers. */
export const binaryHead: PayloadHead = {
  byteLength: 12,
  write(buf, at, sender, seq, micros) {
    buf.writeUInt32BE(sender, at);
    buf.writeUInt32BE(seq, at + 4);
    buf.writeUInt32BE(micros, at + 8);
  },
  sender: u32,
  seq: (buf, at) => u32(buf, at + 4),
  micros: (buf, at) => u32(buf, at + 8),
};

/** Begins a text payload, and stands nowhere else in the JSON of any server here: that is how it is found. */
export const TEXT_MARK = 0x7e; // ~
const LETTER_A = 0x61;
const DIGITS = 8;

function writeLetters(buf: Buffer, at: number, value: number): void {
  for (let i = DIGITS - 1, rest = value; i >= 0; i--, rest >>>= 4) buf[at + i] = LETTER_A + (rest & 15);
}

function readLetters(buf: Buffer, at: number): number {
  let value = 0;
  for (let i = 0; i < DIGITS; i++) value = (value << 4) | (buf[at + i]! - LETTER_A);
  return value >>> 0;
}

/** For protocols whose payloads are JSON strings: a mark, then three numbers in letters a to p. */
export const textHead: PayloadHead = {
  byteLength: 1 + 3 * DIGITS,
  write(buf, at, sender, seq, micros) {
    buf[at] = TEXT_MARK;
    writeLetters(buf, at + 1, sender);
    writeLetters(buf, at + 1 + DIGITS, seq);
    writeLetters(buf, at + 1 + 2 * DIGITS, micros);
  },
  sender: (buf, at) => readLetters(buf, at + 1),
  seq: (buf, at) => readLetters(buf, at + 1 + DIGITS),
  micros: (buf, at) => readLetters(buf, at + 1 + 2 * DIGITS),
};
