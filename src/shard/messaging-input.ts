import { errorNumber, type ErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { countErrors } from '../metrics/counters.ts';
import type { ReadMarks } from '../user/messages.ts';
import type { Session } from '../user/session.ts';
import { encodeErrors, parseSections, type ErrorEntry, type SendItem } from '../wire/messaging.ts';
import { Op } from '../wire/op.ts';
import { isMid, parseClientId, type UserId } from '../wire/user-id.ts';
import type { Requests } from './requests.ts';

/** A group as a recipient: docs/protocol.md "Identities". */
const GROUP = /^#([1-9][0-9]{0,9})$/;

/** Messaging texts of open connections: sections `send` and `read` (docs/protocol.md "Messaging"). */
export class MessagingInput {
  now = 0;
  readonly #requests: Requests;
  readonly #read: (session: Session, marks: ReadMarks) => void;

  constructor(requests: Requests, read: (session: Session, marks: ReadMarks) => void) {
    this.#requests = requests;
    this.#read = read;
  }

  onText(session: Session, text: string): void {
    const { send, read, errors } = parseSections(text);
    const entries = send.length + read.length + errors.length;
    if (session.rate !== undefined && !session.rate.take(Math.max(1, entries), this.now)) {
      session.tooFast = true;
      return;
    }
    for (const item of send) {
      const error = this.#send(session, item);
      if (error !== undefined) errors.push({ section: 'send', idText: item.idText, code: error });
    }
    if (read.length > 0) this.#read(session, { connection: session.connection, items: read });
    this.#report(session, errors);
  }

  #send(session: Session, { id, idText, sid, rid, raw }: SendItem): ErrorCode | undefined {
    if (parseClientId(sid) !== session.user) return 'bad_sender';
    if (!rid.startsWith('#')) {
      const user = parseClientId(rid);
      if (user === undefined) return 'bad_recipient';
      if (!session.maySend(false, user)) return 'forbidden';
      this.#requests.sendMessaging(session, Op.send, user, id, idText, raw);
      return undefined;
    }
    const group = groupOf(rid);
    if (group === undefined || typeof session.user !== 'number') return 'not_supported';
    if (!session.maySend(true, group)) return 'forbidden';
    this.#requests.sendMessaging(session, Op.groupSend, group, id, idText, raw);
    return undefined;
  }

  #report(session: Session, errors: readonly ErrorEntry[]): void {
    for (const { code } of errors) countErrors(errorNumber(code), 1);
    for (let i = 0; i < errors.length; i += limits.notificationMessagesMax) {
      session.say(encodeErrors(errors.slice(i, i + limits.notificationMessagesMax)));
    }
  }
}

function groupOf(rid: string): UserId | undefined {
  const group = Number(GROUP.exec(rid)?.[1] ?? 0);
  return isMid(group) ? group : undefined;
}
