import type { ErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Session } from '../user/session.ts';
import { GoimOp, isName, parseOperations } from '../wire/goim.ts';
import { Op } from '../wire/op.ts';
import type { Registry } from './registry.ts';

/** Where requests are filed that are done here and now. */
export interface GoimRequests {
  /** `result`: 1, of a heartbeat one more than the count it tells. */
  settled(session: Session, op: number, seq: number, version: number, result: number): void;
  refuse(session: Session, op: number, seq: number, version: number, error: ErrorCode): void;
}

export interface GoimRooms {
  readonly registry: Registry;
  /** How many are in a room, on all shards. */
  total(room: string): number;
}

/** The operations that Encke has for goim clients as well (docs/goim.md "Operations"). */
const isEnckes = (op: number): boolean => op === Op.auth || (op >= Op.send && op <= Op.historyReply);

/** Requests in goim's dialect, each answered as goim answers it (docs/goim.md "Operations"). */
export class GoimInput {
  readonly #requests: GoimRequests;
  readonly #rooms: GoimRooms;

  constructor(requests: GoimRequests, rooms: GoimRooms) {
    this.#requests = requests;
    this.#rooms = rooms;
  }

  /** One package of a goim client; false when the operation is one of Encke's. */
  onFrame(
    session: Session,
    op: number,
    version: number,
    seq: number,
    buf: Buffer,
    start: number,
    end: number,
  ): boolean {
    const { goim } = session;
    if (goim === undefined || isEnckes(op)) return false;
    switch (op) {
      case Op.heartbeat: {
        const online = goim.room === '' ? 0 : this.#rooms.total(goim.room);
        this.#requests.settled(session, Op.heartbeatReply, seq, version, online + 1);
        break;
      }
      case GoimOp.changeRoom:
      case GoimOp.subscribe:
      case GoimOp.unsubscribe:
        if (this.#carryOut(session, op, buf.toString('utf8', start, end))) {
          goim.keepBody(session.requests.tail, Buffer.from(buf.subarray(start, end)));
          this.#requests.settled(session, op + 1, seq, version, 1);
        } else this.#requests.refuse(session, op + 1, seq, version, 'bad_body');
        break;
      default:
        // A message to the operator's own logic, which goim hands to nobody: answered, and that is all.
        this.#requests.settled(session, op, seq, version, 1);
    }
    return true;
  }

  /** False when the body is over a limit; what goim cannot read changes nothing and is no error. */
  #carryOut(session: Session, op: number, body: string): boolean {
    const { goim } = session;
    if (goim === undefined) return false;
    if (op === GoimOp.changeRoom) {
      if (!isName(body)) return false;
      this.#rooms.registry.changeRoom(session, body);
      return true;
    }
    const operations = parseOperations(body) ?? [];
    if (op === GoimOp.unsubscribe) goim.refuse(operations);
    else {
      const accepts = new Set([...goim.accepts, ...operations]);
      if (accepts.size > limits.goimAcceptsMax) return false;
      goim.accept(operations);
    }
    return true;
  }
}
