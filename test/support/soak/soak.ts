import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judge } from '../history/verdict.ts';
import type { Fact, FactKind } from '../history/facts.ts';
import { finish } from './finish.ts';
import { churn, makeGroups } from './groups.ts';
import { deviceLink, makeLinks } from './links.ts';
import { load } from './load.ts';
import type { SoakOptions } from './options.ts';
import { readLogs } from './logs.ts';
import { Run } from './run.ts';
import { connectionTrouble, restart, serverTrouble } from './trouble.ts';

export interface Report {
  /** One line of counts. */
  readonly line: string;
  readonly messages: number;
  readonly kills: number;
  readonly counts: Readonly<Record<FactKind, number>>;
  /** The first facts of each kind, in words. */
  readonly facts: readonly Fact[];
}

/** Runs a server under load and trouble, and judges what its clients saw. */
export async function soak(options: SoakOptions): Promise<Report> {
  const data = await mkdtemp(join(tmpdir(), 'encke-soak-'));
  try {
    const run = new Run(options, data);
    try {
      return await Promise.race([play(run), run.failure]);
    } finally {
      await run.server.kill();
    }
  } finally {
    await rm(data, { recursive: true, force: true });
  }
}

async function play(run: Run): Promise<Report> {
  const begun = Date.now();
  const { server, links, options } = run;
  await server.start(run.random.int(1, 4), false);
  await makeGroups(run);
  links.push(...makeLinks(run));
  const archives = run.plan.archivists.map((user) => deviceLink(run, user, 'archive'));
  // A device gets everything from the moment it was first seen.
  await Promise.all(archives.map((archive) => archive.once()));
  const living = links.map((link) => link.live());
  await Promise.all(links.map((link) => link.connected));
  const playing = [load(run), churn(run), connectionTrouble(run)];
  await serverTrouble(run);
  run.quiet = true;
  await Promise.all(playing);
  if (options.store === 'disk') await restart(run);
  await finish(run, archives);
  await Promise.all(living);
  await readLogs(run);
  judge(run.history);
  return report(run, Date.now() - begun);
}

function report(run: Run, tookMs: number): Report {
  const { history, counts, connects, options } = run;
  const { facts, ledger } = history;
  const figures: Record<string, string | number> = {
    seed: options.seed,
    minutes: (tookMs / 60_000).toFixed(2),
    store: options.store === 'disk' ? `disk/${options.fsync}` : 'memory',
    messages: ledger.length,
    acknowledged: history.acknowledged,
    delivered: history.delivered,
    connects,
    acks: history.acks,
    settledReads: history.settledReads,
    ...counts,
    ...facts.counts,
  };
  const line = `soak ${Object.entries(figures)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')}`;
  return { line, messages: ledger.length, kills: counts.kills, counts: facts.counts, facts: facts.first };
}
