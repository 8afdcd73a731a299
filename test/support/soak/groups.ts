import { adminRequest } from '../admin.ts';
import type { Run } from './run.ts';
import type { SoakConversation, SoakUser } from './plan.ts';

const changeEveryMs = 200;
const retryMs = 20;

/** Makes all groups with all of their members. */
export async function makeGroups(run: Run): Promise<void> {
  for (const { gid, users } of run.plan.conversations) {
    if (gid !== 0) await ask(run, 'PUT', `/v1/groups/${gid}`, { members: users.map(({ id }) => id) });
  }
}

/** Members leave and join again, until the run is quiet. */
export async function churn(run: Run): Promise<void> {
  const { random, plan } = run;
  const away = new Map<SoakConversation, Set<SoakUser>>();
  const groups = plan.conversations.filter(({ churning }) => churning.length > 0);
  while (!run.quiet) {
    await run.pause(changeEveryMs);
    const group = random.pick(groups);
    const user = random.pick(group.churning);
    const others = away.get(group) ?? new Set();
    away.set(group, others);
    const leaves = !others.has(user);
    run.history.member(leaves ? 'leaving' : 'joining', user.index, group.index);
    // Asked again it is no error, so an answer that got lost does not matter.
    const change = leaves ? { remove: [user.id] } : { add: [user.id] };
    await ask(run, 'POST', `/v1/groups/${group.gid}/members`, change);
    if (leaves) await heard(run, user);
    run.history.member(leaves ? 'left' : 'joined', user.index, group.index);
    run.counts.changes += 1;
    if (leaves) others.add(user);
    else others.delete(user);
  }
}

/**
 * The answer does not wait for the actor of who has left, which may be busy. But what the user sends
 * now is answered through it, behind that.
 */
async function heard(run: Run, user: SoakUser): Promise<void> {
  const isStable = ({ churning }: SoakConversation): boolean => !churning.includes(user);
  const link = run.links.find((one) => one.user === user && one.protocol === 'comet');
  const conversation = link?.sendable.find(isStable);
  while (link !== undefined && conversation !== undefined) {
    if (run.history.ledger.isAcknowledged(await link.send(conversation))) return;
    await run.pause(retryMs);
  }
}

/** Asks until it is done: the server may be away, or a part of it. */
async function ask(run: Run, method: string, path: string, body: unknown): Promise<void> {
  for (;;) {
    await run.server.ready;
    const answer = await adminRequest(run.server.adminAddress, method, path, body).catch(() => undefined);
    if (answer !== undefined && answer.status < 300) return;
    if (answer !== undefined && answer.status < 500)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    await run.pause(retryMs);
  }
}
