import { Op } from './op.ts';

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const DELETE = 0x7f;

const INT32_MAX = 2_147_483_647;

/** A key as a number: a 1, for the length, and its bytes. */
const KEY_START = 1;
const keyOf = (name: string): number => Buffer.from(name).reduce((key, c) => key * 256 + c, KEY_START);
const Key = {
  ver: keyOf('ver'),
  op: keyOf('op'),
  seq: keyOf('seq'),
  body: keyOf('body'),
  from: keyOf('from'),
  to: keyOf('to'),
  msg: keyOf('msg'),
} as const;
/** No key that is known is longer. */
const KEY_BYTES_MAX = 4;

const Has = { ver: 1, op: 2, seq: 4, body: 8, from: 16, to: 32, msg: 64 } as const;
const NEEDED = Has.op | Has.body | Has.from | Has.to | Has.msg;

/**
 * Reads the usual op 18 or 20 of the JSON encoding straight from its bytes: known keys, each once,
 * int32 numbers without fraction or exponent, and a `msg` that is a string of ASCII without escapes.
 * Of everything else, good or bad, it says no, and `parseRequest` decides. What it takes means the
 * same there (test/fuzz/json-send-reader.test.ts).
 */
export class JsonSendReader {
  op = 0;
  version = 1;
  seq = 0;
  from = 0;
  to = 0;
  /** `msg` is [msgStart, msgEnd) of the buffer. */
  msgStart = 0;
  msgEnd = 0;
  #buf: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #has = 0;

  /** Whether [start, end) is such a message: the fields are set. */
  read(buf: Buffer, start: number, end: number): boolean {
    this.#buf = buf;
    this.#at = start;
    this.#end = end;
    this.#has = 0;
    this.version = 1;
    this.seq = 0;
    if (!this.#object(true)) return false;
    this.#skipSpace();
    if (this.#at !== end || (this.#has & NEEDED) !== NEEDED) return false;
    return this.op === Op.send || this.op === Op.groupSend;
  }

  #object(isOuter: boolean): boolean {
    if (!this.#takes(OPEN_OBJECT)) return false;
    do {
      const key = this.#key();
      if (!this.#takes(COLON)) return false;
      if (!(isOuter ? this.#outerValue(key) : this.#bodyValue(key))) return false;
    } while (this.#takes(COMMA));
    return this.#takes(CLOSE_OBJECT);
  }

  #outerValue(key: number): boolean {
    switch (key) {
      case Key.ver:
        return this.#isFirst(Has.ver) && this.#isInt((this.version = this.#int()));
      case Key.op:
        return this.#isFirst(Has.op) && this.#isInt((this.op = this.#int()));
      case Key.seq:
        return this.#isFirst(Has.seq) && this.#isInt((this.seq = this.#int()));
      case Key.body:
        return this.#isFirst(Has.body) && this.#object(false);
      default:
        return false;
    }
  }

  #bodyValue(key: number): boolean {
    switch (key) {
      case Key.from:
        return this.#isFirst(Has.from) && this.#isInt((this.from = this.#int()));
      case Key.to:
        return this.#isFirst(Has.to) && this.#isInt((this.to = this.#int()));
      case Key.msg:
        return this.#isFirst(Has.msg) && this.#text();
      default:
        return false;
    }
  }

  #isFirst(bit: number): boolean {
    if ((this.#has & bit) !== 0) return false;
    this.#has |= bit;
    return true;
  }

  #skipSpace(): void {
    const buf = this.#buf;
    for (; this.#at < this.#end; this.#at++) {
      const c = buf[this.#at]!;
      if (c !== SPACE && c !== LINE_FEED && c !== CARRIAGE_RETURN && c !== TAB) return;
    }
  }

  #takes(character: number): boolean {
    this.#skipSpace();
    if (this.#at >= this.#end || this.#buf[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  /** The number of the key; 0 when it is none of ours. */
  #key(): number {
    if (!this.#takes(QUOTE)) return 0;
    let key = KEY_START;
    for (let bytes = 0; bytes <= KEY_BYTES_MAX && this.#at < this.#end; bytes++) {
      const c = this.#buf[this.#at++]!;
      if (c === QUOTE) return key;
      key = key * 256 + c;
    }
    return 0;
  }

  #isInt(value: number): boolean {
    return value <= INT32_MAX;
  }

  /** An int32; Infinity for what has to be looked at more closely. */
  #int(): number {
    this.#skipSpace();
    const buf = this.#buf;
    let at = this.#at;
    const isNegative = buf[at] === MINUS;
    if (isNegative) at += 1;
    const first = at;
    let value = 0;
    while (at < this.#end && value <= INT32_MAX) {
      const digit = buf[at]! - ZERO;
      if (digit < 0 || digit > NINE - ZERO) break;
      value = value * 10 + digit;
      at += 1;
    }
    // No digit, a leading zero, -0.
    if (at === first || (buf[first] === ZERO && (at > first + 1 || isNegative))) return Infinity;
    this.#at = at;
    if (value > INT32_MAX) return Infinity;
    return isNegative ? -value : value;
  }

  #text(): boolean {
    if (!this.#takes(QUOTE)) return false;
    const buf = this.#buf;
    const end = this.#end;
    let at = this.#at;
    this.msgStart = at;
    for (; at < end; at++) {
      const c = buf[at]!;
      if (c < SPACE || c >= DELETE || c === BACKSLASH) return false;
      if (c === QUOTE) break;
    }
    this.msgEnd = at;
    this.#at = at + 1;
    return at < end;
  }
}
