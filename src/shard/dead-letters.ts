import type { ActorSystem, DeadLetter, DeadLetterReason } from '../actor/index.ts';
import { closes, type ErrorCode } from '../errors.ts';
import { Fanout, type FanoutMessage } from '../group/fanout.ts';
import { Group } from '../group/group.ts';
import type {
  Acknowledge,
  AskHistory,
  ConnectionMessage,
  Deliver,
  SendRequest,
  Sent,
} from '../user/messages.ts';
import { tellRefused } from '../user/outcome.ts';
import { User } from '../user/user.ts';
import { runLast } from '../wire/run.ts';
import type { UserId } from '../wire/user-id.ts';
import type { Services } from './services.ts';
import type { Sessions } from './sessions.ts';

/** What a client is told when its request was not handled. */
const errorOf: Partial<Record<DeadLetterReason, ErrorCode>> = {
  mailbox_full: 'overloaded',
  unreachable: 'unavailable',
  stopped: 'unavailable',
};

/** Time after which something that found no room is tried again. */
const AGAIN_MS = 100;

/**
 * Messages between actors that were not handled. A request is refused, so that its client knows;
 * news that got lost is replaced by where the conversation stands, which the log then fills in.
 */
export class LostMessages {
  readonly #sessions: Sessions;
  system: ActorSystem<Services> | undefined;

  constructor(sessions: Sessions) {
    this.#sessions = sessions;
  }

  readonly onDeadLetter = (letter: DeadLetter): void => {
    const { kind, message, reason } = letter;
    if (message === 'send') this.#refuse(letter.payload as SendRequest, reason);
    else if (reason === 'stopped') return;
    else if (kind === User.name) this.#user(letter);
    else if (kind === Fanout.name && message === 'deliver') this.#fanOut(letter);
    else if (kind === Group.name && message === 'watch') this.#again(letter);
  };

  /** A user's actor failed and lost its state: its connections are closed and come back. */
  closeUser(user: UserId): void {
    for (const session of this.#sessions.values()) {
      if (session.user === user) session.close(closes.internal);
    }
  }

  #refuse({ replyTo }: SendRequest, reason: DeadLetterReason): void {
    if (this.system !== undefined) tellRefused(this.system.env, replyTo, errorOf[reason] ?? 'internal_error');
  }

  #user(letter: DeadLetter): void {
    const { message, id } = letter;
    if (message === 'deliver') {
      const { other, run } = letter.payload as Deliver;
      this.#later(() => this.system?.tellIfActive(User, id, 'moved', { other, head: runLast(run) }));
    } else if (message === 'sent') this.#settle(letter);
    else if (message === 'attach') {
      this.#sessions.get((letter.payload as ConnectionMessage).connection)?.close(closes.restart);
    } else if (message === 'acknowledge' || message === 'history') {
      const { session, ticket } = letter.payload as Acknowledge | AskHistory;
      session.refuse(ticket, 1, errorOf[letter.reason] ?? 'internal_error');
    } else if (message !== 'committed' && letter.reason !== 'failed') this.#again(letter);
  }

  /** The reply is what counts: it needs no actor where the connection is. */
  #settle(letter: DeadLetter): void {
    const { replyTo, first } = letter.payload as Sent;
    const session = this.#sessions.get(replyTo.connection);
    if (session?.user === replyTo.user) session.settleSent(replyTo.ticket, replyTo.count, first);
    else this.#again(letter);
  }

  #fanOut(letter: DeadLetter): void {
    const { group, run } = letter.payload as FanoutMessage;
    this.#later(() => this.system?.tell(Fanout, letter.id, 'watching', { group, head: runLast(run) }));
  }

  #again({ kind, id, message, payload }: DeadLetter): void {
    const to = kind === User.name ? User : Group;
    this.#later(() =>
      this.system?.tellIfActive(to as typeof User, id, message as 'feed', payload as ConnectionMessage),
    );
  }

  #later(act: () => void): void {
    setTimeout(act, AGAIN_MS).unref();
  }
}
