import { messageIdOf } from '../wire/messaging.ts';
import { frameFrom, splitRun, type Run } from '../wire/run.ts';
import { isGroup } from '../store/conversation.ts';
import type { UserContext } from './context.ts';
import type { ConversationState, PairState } from './conversation-state.ts';
import type { Delivery } from './delivery.ts';
import { Feeder, type FeederHost } from './feeder.ts';
import type { ConnectionMessage, Fed } from './messages.ts';
import type { Session } from './session.ts';
import { isToSelf, type UserState } from './user-state.ts';

/** Time after which a log that could not be read is asked again. */
const READ_AGAIN_MS = 500;

/** The feeder of a session, made when it is first needed. */
export function feederOf(state: UserState, session: Session, ctx: UserContext): Feeder {
  session.feeder ??= new Feeder(session, hostOf(state, session, ctx));
  return session.feeder;
}

/** What a session wrote was taken in, or its client reads again. */
export function continueFeeding(state: UserState, { connection }: ConnectionMessage): void {
  const session = state.sessions.find((one) => one.connection === connection);
  session?.feeder?.written();
  session?.history?.written();
}

/** The answer of the log. */
export function fed(state: UserState, { connection, key, result }: Fed, ctx: UserContext): void {
  const session = state.sessions.find((one) => one.connection === connection);
  session?.feeder?.take(key, result);
  if (session !== undefined && result === null) {
    ctx.timers.once(`feed ${connection}`, READ_AGAIN_MS, 'feed', { connection });
  }
}

function hostOf(state: UserState, session: Session, ctx: UserContext): FeederHost {
  const { env, self } = ctx;
  const { connection } = session;
  return {
    store: env.store,
    headOf: (conversation) =>
      isGroup(conversation.conversation)
        ? env.fanouts.head(conversation.conversation.group)
        : conversation.head,
    select: (_session, conversation, delivery, run) => select(state, session, conversation, delivery, run),
    onRead: (key, reading) => {
      reading.then(
        (result) => self.tell('fed', { connection, key, result }),
        (error: unknown) => {
          env.logger.warn({ err: error, key }, 'the log could not be read: asked again');
          self.tell('fed', { connection, key, result: null });
        },
      );
    },
    isFull: () => env.isFull(),
    onWritten: () => {
      env.markCursors(state.id);
      env.whenWritten(session);
    },
    onDone: () => {
      if (session.encoding === 'messaging') state.mailbox?.setComplete();
    },
  };
}

/** The messages of a run that a session is to get: not its own, and only what is unread in messaging. */
function select(
  state: UserState,
  session: Session,
  conversation: ConversationState,
  delivery: Delivery,
  run: Run,
): Run[] {
  const unreadOnly = session.encoding === 'messaging' && !conversation.isGroup;
  if (!unreadOnly && delivery.own === undefined) return [run];
  const wanted: Run[] = [];
  let rest = run;
  for (let number = run.first; ; number++) {
    const [message, behind] = rest.count > 1 ? splitRun(rest, 1) : [rest, undefined];
    const skip =
      delivery.own?.has(number) === true ||
      (unreadOnly && !isUnread(state, conversation as PairState, message, number));
    if (!skip) wanted.push(message);
    if (behind === undefined) break;
    rest = behind;
  }
  return wanted;
}

/** Whether a message is in the mailbox; if so it is indexed, if it is the user's own it counts as read. */
function isUnread(state: UserState, pair: PairState, message: Run, number: number): boolean {
  const { mailbox } = state;
  if (mailbox === undefined || pair.marks.has(number)) return false;
  const { id, sid } = messageIdOf(message, 0);
  if (!isToSelf(state, pair, frameFrom(message.bytes, 0), sid)) {
    pair.marks.add(number);
    return false;
  }
  mailbox.add(id, sid, pair, number);
  return true;
}
