import type { Link } from './link.ts';
import type { Run } from './run.ts';

const stallMsMax = 1_500;
const workersMax = 4;

/** Kills the process, or a shard's thread, after so many more messages, until there was enough of it. */
export async function serverTrouble(run: Run): Promise<void> {
  const { options, history, counts, random, server } = run;
  const { messages } = options;
  // The memory store ends with its process: there only shards crash.
  const kills = options.store === 'disk' ? options.kills : 0;
  const crashes = options.crashes + options.kills - kills;
  const every = Math.max(200, Math.floor(messages / (kills + crashes + 1)));
  const end = Date.now() + options.durationMs;
  const isOver = (): boolean =>
    options.durationMs > 0
      ? Date.now() >= end
      : history.ledger.length >= messages && counts.kills >= kills && counts.crashes >= crashes;
  while (!isOver()) {
    const wanted = history.ledger.length + random.int(every >> 1, every);
    while (history.ledger.length < wanted && !isOver()) await run.pause(1);
    await run.pause(random.int(0, 30)); // not only right behind a send
    if (isOver()) return;
    // Shares of both until there was enough; a run of a given time goes on with it.
    const left = options.durationMs > 0 ? 1 : 0;
    const killsLeft = Math.max(kills * left, kills - counts.kills);
    const crashesLeft = Math.max(crashes * left, crashes - counts.crashes);
    if (random.next() * (killsLeft + crashesLeft) < killsLeft) await restart(run);
    else if (crashesLeft > 0 && (await server.crash(random.int(0, server.workers - 1)))) counts.crashes += 1;
  }
}

/** SIGKILL, and a start on the same data with another number of workers. */
export async function restart(run: Run): Promise<void> {
  const { random, server, counts } = run;
  await server.kill();
  counts.kills += 1;
  const workers = random.int(1, workersMax);
  try {
    await server.start(workers, random.chance(0.5));
  } catch {
    await server.start(workers, false); // somebody else has got the port
  }
  counts.restarts += 1;
}

/** Connections are cut, stalled, closed and taken over, until the run is quiet. */
export async function connectionTrouble(run: Run): Promise<void> {
  const { random, counts } = run;
  while (!run.quiet) {
    await run.pause(run.options.connectionTroubleEveryMs);
    const link = random.pick(run.links);
    if (link.wire === undefined) continue;
    // Sometimes it has just said what it has read or received.
    if (random.chance(0.3)) link.wire.tick();
    const roll = random.next();
    if (!link.user.rough || roll < 0.3) {
      counts.closes += 1;
      link.close();
    } else if (roll < 0.6) {
      counts.cuts += 1;
      link.wire.cut();
    } else if (roll < 0.9) {
      counts.stalls += 1;
      stall(run, link);
    } else if (link.name !== 'plain') link.takeOver();
  }
}

/** Does not read for a while; sometimes it goes away before it reads again. */
function stall({ random, counts }: Run, { wire }: Link): void {
  if (wire === undefined) return;
  wire.pause();
  const cut = random.chance(0.3);
  if (cut) counts.cuts += 1;
  setTimeout(
    () => {
      if (cut) wire.cut();
      wire.resume();
    },
    random.int(1, stallMsMax),
  );
}
