import { adminRequest } from '../admin.ts';
import type { Run } from './run.ts';
import type { SoakConversation, SoakUser } from './plan.ts';

const changeEveryMs = 100;
const retryMs = 20;
/** How long after the answer a message may still come to who has left. */
const leaveGraceMs = 500;

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
    // The answer does not wait for the shards of those who left.
    if (leaves) await run.pause(leaveGraceMs);
    run.history.member(leaves ? 'left' : 'joined', user.index, group.index);
    run.counts.changes += 1;
    if (leaves) others.add(user);
    else others.delete(user);
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
