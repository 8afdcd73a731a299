import { errorName, errorNumber } from '../errors.ts';
import { limits } from '../limits.ts';
import { countBatch, Encoding } from '../metrics/counters.ts';
import { ToGateway, type Lane } from '../net/lane.ts';
import { isGoimReply, replyOf } from '../goim/replies.ts';
import { batchByteLength, runsByteLength, writeBatch, writeRuns } from '../wire/comet-binary.ts';
import {
  encodeBatch,
  errorReplyBody,
  errorReplyText,
  heartbeatReplyText,
  replyText,
} from '../wire/comet-json.ts';
import { frameWithText, HEADER_BYTES, REPLY_BYTES, writeHeader, writeReply } from '../wire/frame.ts';
import { historyFrame, historyText } from '../wire/history-reply.ts';
import {
  acceptedText,
  encodeAccepted,
  encodeErrors,
  encodeNotifications,
  type ErrorEntry,
} from '../wire/messaging.ts';
import { Op } from '../wire/op.ts';
import { viewOf } from '../wire/view-of.ts';
import type { Session } from '../user/session.ts';
import { WsOpcode } from '../wire/ws-frame.ts';
import { beginBytes, writeMessages, type Message } from './output.ts';

const unknownOperation = -errorNumber('unknown_operation');

/** A reply of 25 bytes in binary. A client that sends op 19 gets the text of an unknown operation. */
const isNumberReply = (op: number, result: number): boolean =>
  (op === Op.sendReply || op === Op.groupSendReply || op === Op.ackReply) && result !== unknownOperation;

const isHeartbeatReply = (op: number, result: number): boolean => op === Op.heartbeatReply && result > 0;

/**
 * What leaves this shard in a tick: for each session that was touched one write, the replies first
 * and then one op 9 batch (docs/protocol.md "Order"). Held back while the lane is full.
 */
export class Outbox {
  readonly #lane: Lane;
  #touched: Session[] = [];
  /** Called when all that a session asked for is answered and written. */
  onWritten: ((session: Session) => void) | undefined;

  constructor(lane: Lane) {
    this.#lane = lane;
  }

  touch(session: Session): void {
    if (session.touched) return;
    session.touched = true;
    this.#touched.push(session);
  }

  get isEmpty(): boolean {
    return this.#touched.length === 0;
  }

  flush(): void {
    // What is written here may touch sessions again, for a close: once more round.
    while (this.#touched.length > 0 && !this.#lane.isFull) {
      const touched = this.#touched;
      this.#touched = [];
      for (const session of touched) {
        session.touched = false;
        this.#write(session);
      }
    }
  }

  #write(session: Session): void {
    if (session.closed) {
      session.runs.length = 0;
      session.runBytes = 0;
      return;
    }
    if (session.goim !== undefined && session.webSocket) this.#writePackages(session);
    else if (session.encoding === 'binary') this.#writeBinary(session);
    else {
      const texts = session.encoding === 'json' ? jsonTexts(session) : messagingTexts(session);
      this.#writeMessages(session, WsOpcode.text, texts);
    }
    session.runs.length = 0;
    session.runBytes = 0;
    session.history?.wrote();
    if (session.closing === undefined) this.onWritten?.(session);
    else this.#close(session, session.closing);
  }

  #writeBinary(session: Session): void {
    const { requests, runs, prefix } = session;
    const replies = requests.readyCount;
    const { goim, isBare } = session;
    const batchBytes = runs.length === 0 ? 0 : isBare ? runsByteLength(runs) : batchByteLength(runs);
    let bytes = batchBytes;
    for (const part of prefix ?? []) bytes += part.length;
    let plain = true;
    for (let i = 0; i < replies; i++) {
      const op = requests.opAt(requests.head + i);
      const result = requests.resultAt(requests.head + i);
      if (isNumberReply(op, result)) bytes += REPLY_BYTES;
      else if (isHeartbeatReply(op, result) && goim === undefined) bytes += HEADER_BYTES;
      else plain = false;
    }
    if (!plain) {
      this.#takeOddReplies(session);
      return this.#writeBinary(session);
    }
    if (bytes === 0) return;
    const { out } = this.#lane;
    let at = beginBytes(out, session, bytes);
    for (const part of prefix ?? []) at += (part as Buffer).copy(out.buf, at);
    session.prefix = undefined;
    while (requests.take()) {
      const { op, version, seq, result } = requests;
      if (op === Op.heartbeatReply) at = writeHeader(out.buf, at, HEADER_BYTES, version, op, seq);
      else at = writeReply(out.view, at, op, version, seq, result > 0 ? 0 : -1, result > 0 ? result : 0);
    }
    if (batchBytes > 0) {
      if (isBare) writeRuns(out.buf, at, runs);
      else writeBatch(out.buf, at, runs);
      countBatch(runs, Encoding.binary, 1);
    }
    this.#wrote(session);
  }

  /** Rare replies have bodies of any length: they become prefixes, up to the last of them. */
  #takeOddReplies(session: Session): Message[] {
    const { requests } = session;
    const prefix = (session.prefix ??= []);
    while (requests.take()) {
      const { op, version, seq, result } = requests;
      if (isNumberReply(op, result)) {
        const frame = Buffer.allocUnsafe(REPLY_BYTES);
        writeReply(viewOf(frame), 0, op, version, seq, result > 0 ? 0 : -1, result > 0 ? result : 0);
        prefix.push(frame);
      } else if (session.goim !== undefined && isGoimReply(op, result)) {
        prefix.push(replyOf(session.goim, requests));
      } else if (isHeartbeatReply(op, result)) {
        const frame = Buffer.allocUnsafe(HEADER_BYTES);
        writeHeader(frame, 0, HEADER_BYTES, version, op, seq);
        prefix.push(frame);
      } else if (op === Op.historyReply && result !== unknownOperation) {
        prefix.push(historyFrame(version, seq, result > 0 ? session.takePage() : null));
      } else prefix.push(frameWithText(op, version, seq, errorReplyBody(op, errorName(-result))));
    }
    return prefix;
  }

  /** goim's clients read one package of a WebSocket message, unless it is an op 9. */
  #writePackages(session: Session): void {
    const { runs } = session;
    const packages = this.#takeOddReplies(session);
    session.prefix = undefined;
    if (runs.length > 0) {
      const batch = Buffer.allocUnsafe(batchByteLength(runs));
      writeBatch(batch, 0, runs);
      packages.push(batch);
      countBatch(runs, Encoding.binary, 1);
    }
    this.#writeMessages(session, WsOpcode.binary, packages);
  }

  #writeMessages(session: Session, opcode: number, messages: readonly Message[]): void {
    if (messages.length === 0) return;
    writeMessages(this.#lane.out, session, opcode, messages);
    this.#wrote(session);
  }

  #wrote(session: Session): void {
    session.writes += 1;
    session.lastSlab = this.#lane.writing;
  }

  #close(session: Session, { code, reason }: { readonly code: number; readonly reason: string }): void {
    session.closed = true;
    const at = this.#lane.out.begin(ToGateway.close, session.connection, code, Buffer.byteLength(reason));
    this.#lane.out.buf.write(reason, at);
  }
}

function jsonTexts(session: Session): Message[] {
  const { requests, runs } = session;
  const texts = session.prefix ?? [];
  session.prefix = undefined;
  while (requests.take()) {
    const { op, version, seq, result } = requests;
    if (isHeartbeatReply(op, result)) texts.push(heartbeatReplyText(version, seq));
    else if (result < 0) texts.push(errorReplyText(op, version, seq, errorName(-result)));
    else if (op === Op.historyReply) texts.push(historyText(version, seq, session.takePage()));
    else texts.push(replyText(op, version, seq, result));
  }
  if (runs.length > 0) {
    texts.push(encodeBatch(runs));
    countBatch(runs, Encoding.json, 1);
  }
  return texts;
}

/** Messaging answers only what failed, unless it asked for more. */
function messagingTexts(session: Session): Message[] {
  const { requests, runs, ids, reasons } = session;
  const texts = session.prefix ?? [];
  session.prefix = undefined;
  const errors: ErrorEntry[] = [];
  let accepted: string[] | undefined;
  while (requests.take()) {
    const { ticket, result } = requests;
    if (result < 0) {
      const reason = reasons?.get(ticket);
      errors.push({ section: 'send', idText: ids?.get(ticket), code: errorName(-result), reason });
      reasons?.delete(ticket);
    } else if (session.wantsAccepted)
      (accepted ??= []).push(acceptedText(ids?.get(ticket) ?? 'null', result));
    ids?.delete(ticket);
  }
  if (errors.length > 0) for (const entries of chunks(errors)) texts.push(encodeErrors(entries));
  if (accepted !== undefined) for (const entries of chunks(accepted)) texts.push(encodeAccepted(entries));
  if (runs.length > 0) {
    texts.push(...encodeNotifications(runs, limits.notificationMessagesMax, limits.notificationBytesMax));
    countBatch(runs, Encoding.messaging, 1);
  }
  return texts;
}

/** In messaging no text has more entries. */
function* chunks<T>(entries: readonly T[]): Generator<readonly T[]> {
  const max = limits.notificationMessagesMax;
  for (let i = 0; i < entries.length; i += max) yield entries.slice(i, i + max);
}
