import type { ErrorCode } from '../errors.ts';
import type { GoimInput } from '../goim/input.ts';
import type { Session } from '../user/session.ts';
import { parseAck, parseAckBytes, type AckBody } from '../wire/ack-body.ts';
import { isSendBody, sendFrom, sendMsgStart, sendTo } from '../wire/comet-binary.ts';
import { parseRequest, type JsonSend } from '../wire/comet-json.ts';
import type { FrameFailure, FrameSink } from '../wire/frame-decoder.ts';
import { parseHistory, parseHistoryBytes, type HistoryQuery } from '../wire/history-body.ts';
import { JsonSendReader } from '../wire/json-send-reader.ts';
import { Op } from '../wire/op.ts';
import { PayloadKind } from '../wire/run.ts';
import { isMid } from '../wire/user-id.ts';
import type { Requests } from './requests.ts';

/** A reply bears its own operation, except that an unknown request is answered with the same. */
const replyTo: Record<number, number> = {
  [Op.heartbeat]: Op.heartbeatReply,
  [Op.auth]: Op.authReply,
  [Op.send]: Op.sendReply,
  [Op.groupSend]: Op.groupSendReply,
  [Op.ack]: Op.ackReply,
  [Op.history]: Op.historyReply,
};

/**
 * Comet requests of authenticated connections, in both encodings: one method an operation, one
 * switch that shows them all (docs/protocol.md "Operations").
 */
export class CometInput implements FrameSink {
  /** The session whose bytes are being decoded. */
  session: Session | undefined;
  now = 0;
  readonly #requests: Requests;
  readonly #reader = new JsonSendReader();
  readonly #goim: GoimInput;

  constructor(requests: Requests, goim: GoimInput) {
    this.#requests = requests;
    this.#goim = goim;
  }

  /** One binary package; false when the session has too many requests open to take another. */
  onFrame(op: number, version: number, seq: number, buf: Buffer, start: number, end: number): boolean {
    const session = this.session as Session;
    session.heardAt = this.now;
    if (session.rate !== undefined && !session.rate.take(1, this.now)) {
      session.tooFast = true;
      return false;
    }
    if (session.goim !== undefined && this.#goim.onFrame(session, op, version, seq, buf, start, end)) {
      return !session.requests.isFull;
    }
    if (version !== 0 && version !== 1) this.#refuse(session, op, seq, version, 'unsupported_version');
    else {
      switch (op) {
        case Op.send:
        case Op.groupSend:
          if (!isSendBody(start, end)) this.#refuse(session, op, seq, version, 'bad_body');
          else {
            const from = sendFrom(buf, start);
            const msgStart = sendMsgStart(start);
            this.#send(
              session,
              op,
              seq,
              version,
              from,
              sendTo(buf, start),
              PayloadKind.bytes,
              buf,
              msgStart,
              end,
            );
          }
          break;
        case Op.ack:
          this.#acknowledge(session, seq, version, parseAckBytes(buf, start, end));
          break;
        case Op.history:
          this.#history(session, seq, version, parseHistoryBytes(buf, start, end));
          break;
        default:
          this.#other(session, op, seq, version);
      }
    }
    return !session.requests.isFull && session.closing === undefined;
  }

  /** One JSON text; the failure that ends the connection, if it is one. */
  onText(session: Session, buf: Buffer, start: number, end: number): FrameFailure | undefined {
    session.heardAt = this.now;
    if (session.rate !== undefined && !session.rate.take(1, this.now)) {
      session.tooFast = true;
      return undefined;
    }
    const usual = this.#reader;
    if (usual.read(buf, start, end) && (usual.version === 0 || usual.version === 1)) {
      const { op, version, seq, from, to, msgStart, msgEnd } = usual;
      this.#send(session, op, seq, version, from, to, PayloadKind.text, buf, msgStart, msgEnd);
      return undefined;
    }
    const request = parseRequest(buf.toString('utf8', start, end));
    if ('close' in request) return request;
    const { op, version, seq, send, body } = request;
    if (version !== 0 && version !== 1) this.#refuse(session, op, seq, version, 'unsupported_version');
    else if (op === Op.ack) this.#acknowledge(session, seq, version, parseAck(body));
    else if (op === Op.history) this.#history(session, seq, version, parseHistory(body));
    else if (send === undefined) this.#other(session, op, seq, version);
    else if (typeof send === 'string') this.#refuse(session, op, seq, version, send);
    else this.#sendJson(session, op, seq, version, send);
    return undefined;
  }

  #sendJson(session: Session, op: number, seq: number, version: number, send: JsonSend): void {
    const { from, to, kind, msg } = send;
    this.#send(session, op, seq, version, from, to, kind, msg, 0, msg.length);
  }

  #send(
    session: Session,
    op: number,
    seq: number,
    version: number,
    from: number,
    to: number,
    kind: PayloadKind,
    buf: Buffer,
    start: number,
    end: number,
  ): void {
    if (from !== session.user) this.#refuse(session, op, seq, version, 'bad_sender');
    else if (!isMid(to)) this.#refuse(session, op, seq, version, 'bad_recipient');
    else if (!session.maySend(op === Op.groupSend, to)) this.#refuse(session, op, seq, version, 'forbidden');
    else this.#requests.send(session, op, seq, version, to, kind, buf, start, end);
  }

  #acknowledge(session: Session, seq: number, version: number, body: AckBody | ErrorCode): void {
    if (typeof body === 'string') this.#refuse(session, Op.ack, seq, version, body);
    else this.#requests.acknowledge(session, seq, version, body);
  }

  #history(session: Session, seq: number, version: number, query: HistoryQuery | ErrorCode): void {
    if (typeof query === 'string') this.#refuse(session, Op.history, seq, version, query);
    else this.#requests.history(session, seq, version, query);
  }

  #other(session: Session, op: number, seq: number, version: number): void {
    switch (op) {
      case Op.heartbeat:
        this.#requests.settled(session, Op.heartbeatReply, seq, version, 1);
        break;
      case Op.auth:
        this.#refuse(session, op, seq, version, 'already_authenticated');
        break;
      default:
        this.#requests.refuse(session, op, seq, version, 'unknown_operation');
    }
  }

  #refuse(session: Session, op: number, seq: number, version: number, error: ErrorCode): void {
    this.#requests.refuse(session, replyTo[op] ?? op, seq, version, error);
  }
}
