import type { Link } from './link.ts';
import type { Run } from './run.ts';

/** How long nothing may come before what is missing counts as lost. */
const silenceMsMax = 5_000;
const retryMs = 10;

/**
 * Everybody who has to get something connects once more. A last message of each conversation, of two
 * of its users, says that everything before has come.
 */
export async function finish(run: Run, archives: readonly Link[]): Promise<void> {
  const { links, history } = run;
  const living: Promise<void>[] = [];
  // A connection of before may end in the middle; the new one is the one that counts.
  for (const link of links) link.close();
  const marks = await Promise.all(
    run.plan.conversations.map((conversation) => mark(run, conversation.index)),
  );
  for (const archive of archives) living.push(archive.live());
  const missing = (): string | undefined => {
    for (const [index, serials] of marks.entries()) {
      const conversation = history.conversations[index];
      for (const scope of conversation?.scopes ?? []) {
        if (scope.kind === 'mailbox' && conversation?.isGroup === true) continue;
        const wanted = serials.filter((serial) => {
          if (conversation?.member(scope.user).isDue(serial) !== true) return false;
          const sender = history.connections[history.ledger.connectionOf(serial)];
          return scope.getsOwn ? sender?.scopes.includes(scope) === false : sender?.user !== scope.user;
        });
        // What is unread, or not acknowledged, comes on the last connection, whoever got it before.
        const got = scope.isStrict ? scope.gotLast : scope.got;
        if (!wanted.every((serial) => got.has(serial))) return `${scope.name}: ${conversation?.name}`;
      }
    }
    return undefined;
  };
  await untilCome(run, () => missing() === undefined);
  for (const link of [...links, ...archives]) link.stop();
  await Promise.all(living);
}

/** Everything has come, or nothing comes any more: what is missing then is told by the verdict. */
async function untilCome(run: Run, isComplete: () => boolean): Promise<void> {
  let came = -1;
  let since = Date.now();
  while (!isComplete() && Date.now() - since < silenceMsMax) {
    if (run.history.delivered !== came) since = Date.now();
    came = run.history.delivered;
    await run.pause(retryMs);
  }
}

/** One more message of two users of a conversation, acknowledged if they can be. */
async function mark(run: Run, index: number): Promise<number[]> {
  const { plan, links, history } = run;
  const conversation = plan.conversations[index];
  const serials: number[] = [];
  const stable = conversation?.users.filter((user) => !conversation.churning.includes(user)) ?? [];
  for (const user of stable.slice(0, 2)) {
    const sender = links.find((link) => link.user === user && link.sendable.some((c) => c === conversation));
    if (sender === undefined || conversation === undefined) continue;
    for (;;) {
      const serial = sender.wire === undefined ? -1 : await sender.send(conversation);
      if (history.ledger.isAcknowledged(serial)) {
        serials.push(serial);
        break;
      }
      await run.pause(retryMs);
    }
  }
  return serials;
}
