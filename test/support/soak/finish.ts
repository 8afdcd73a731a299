import { until } from '../messaging.ts';
import type { Link } from './link.ts';
import type { Run } from './run.ts';

const patienceMs = 30_000;
const retryMs = 10;

/**
 * Everybody who has to get something connects once more. A last message of each conversation, of two
 * of its users, says that everything before has come.
 */
export async function finish(run: Run, archives: readonly Link[]): Promise<void> {
  const { links, history } = run;
  const living: Promise<void>[] = [];
  // A connection of before may end in the middle; the new one is the one that counts.
  for (const { wire } of links) wire?.close();
  const marks = await Promise.all(run.plan.conversations.map((conversation) => mark(run, conversation.index)));
  for (const archive of archives) living.push(archive.live());
  const missing = (): string | undefined => {
    for (const [index, serials] of marks.entries()) {
      const conversation = history.conversations[index];
      for (const scope of conversation?.scopes ?? []) {
        if (scope.kind === 'mailbox' && conversation?.isGroup === true) continue;
        const wanted = serials.filter((serial) => {
          const sender = history.connections[history.ledger.connectionOf(serial)];
          return scope.getsOwn ? sender?.scopes.includes(scope) === false : sender?.user !== scope.user;
        });
        if (!wanted.every((serial) => scope.got.has(serial))) return `${scope.name}: ${conversation?.name}`;
      }
    }
    return undefined;
  };
  // What is missing then is told by the verdict.
  await until(() => missing() === undefined, 'everything has come', patienceMs).catch(() => {
    run.unfinished = missing();
  });
  for (const link of [...links, ...archives]) link.stop();
  await Promise.all(living);
}

/** One more message of two users of a conversation, acknowledged if they can be. */
async function mark(run: Run, index: number): Promise<number[]> {
  const { plan, links, history } = run;
  const conversation = plan.conversations[index];
  const serials: number[] = [];
  const stable = conversation?.users.filter((user) => !conversation.churning.includes(user)) ?? [];
  for (const user of stable.slice(0, 2)) {
    const senders = links.filter((link) => link.user === user && link.sendable.some((c) => c === conversation));
    const sender = senders[0];
    if (sender === undefined || conversation === undefined) continue;
    for (;;) {
      const serial = sender.wire === undefined ? -1 : await sender.send(conversation);
      const silent = sender.protocol === 'messaging' && !run.accepts;
      if (serial >= 0 && (silent || history.ledger.isStored(serial))) {
        serials.push(serial);
        break;
      }
      await run.pause(retryMs);
    }
  }
  return serials;
}
