import type { Run } from './run.ts';
import type { SoakConversation } from './plan.ts';

const tickMs = 10;
/** Messages of one connection to one conversation in one go: the server makes runs of them. */
const burstMax = 8;
/** What a pause of the process may be made up for. */
const backlogTicksMax = 20;

/** Sends at the wanted rate while the server is up, until the run is quiet; then waits for the answers. */
export async function load(run: Run): Promise<void> {
  const perTick = (run.options.ratePerSecond * tickMs) / 1_000;
  const open = new Set<Promise<unknown>>();
  let credit = 0;
  let then = Date.now();
  while (!run.quiet) {
    await run.pause(tickMs);
    const now = Date.now();
    const ticks = Math.min((now - then) / tickMs, backlogTicksMax);
    then = now;
    for (const { wire } of run.links) wire?.tick();
    if (!run.server.isUp) continue;
    credit += perTick * ticks;
    // Where all windows are full, the server is slower than the wanted rate.
    for (let tries = run.links.length; credit > 0 && tries > 0; tries--) credit -= sendSome(run, open);
    credit = Math.min(credit, perTick * backlogTicksMax);
  }
  await Promise.all(open);
}

/** A burst of a random connection; returns how many were sent. */
function sendSome(run: Run, open: Set<Promise<unknown>>): number {
  const { random } = run;
  const link = random.pick(run.links);
  if (!link.canSend) return 0;
  const conversation = pickConversation(run, link.sendable);
  const count = random.int(1, burstMax);
  let sent = 0;
  for (; sent < count && link.canSend; sent++) {
    const sending = link.send(conversation);
    open.add(sending);
    void sending.then(() => open.delete(sending));
  }
  return sent;
}

function pickConversation({ random }: Run, conversations: readonly SoakConversation[]): SoakConversation {
  let roll = random.next() * conversations.reduce((sum, { weight }) => sum + weight, 0);
  for (const conversation of conversations) if ((roll -= conversation.weight) < 0) return conversation;
  return conversations[0] as SoakConversation;
}
