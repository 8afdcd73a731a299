import { errorNumber, type ErrorCode } from '../errors.ts';
import type { ShardEnv } from './env.ts';
import { SYSTEM } from '../wire/user-id.ts';
import { PUBLISHED, type ReplyTo, type Sent } from './messages.ts';

/*
 * What became of a request, told to whoever made it: by the owner of the conversation, to the user of
 * the connection, or to this shard's publications.
 */

type OutcomeEnv = Pick<ShardEnv, 'users' | 'publications'>;

export function tellRefused(env: OutcomeEnv, replyTo: ReplyTo, error: ErrorCode): void {
  if (replyTo.connection === PUBLISHED) env.publications.settle(replyTo.ticket, -errorNumber(error));
  else env.users.tellIfActive(replyTo.user, 'refused', { replyTo, error });
}

/** The sender's user is told in either case: its connections get what it sent. */
export function tellSent(env: OutcomeEnv, sent: Sent): void {
  const { replyTo, first } = sent;
  if (replyTo.connection === PUBLISHED) env.publications.settle(replyTo.ticket, first);
  if (replyTo.user !== SYSTEM) env.users.tellIfActive(replyTo.user, 'sent', sent);
}

export function tellRetried(env: OutcomeEnv, replyTo: ReplyTo, chatId: number): void {
  if (replyTo.connection === PUBLISHED) env.publications.settle(replyTo.ticket, chatId);
  else env.users.tellIfActive(replyTo.user, 'retried', { replyTo, chatId });
}
