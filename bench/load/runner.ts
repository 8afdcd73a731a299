import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Figures, Job, JobResult } from './generator/job.ts';
import type { Peer, Running } from './peers/peer.ts';
import type { Results } from './results.ts';
import { withScratch } from './scratch.ts';
import { loadDefaults, type Work } from './work.ts';

const generator = fileURLToPath(new URL('generator/main.js', import.meta.url));
const OUTPUT_BYTES_MAX = 16 << 20;
/** What a server has done before it is measured the first time: its code is compiled by then. */
const WARM_SECONDS = 4;

export interface RunSettings {
  readonly rounds: number;
  readonly seconds: number;
  /** Says what is going on. */
  readonly say: (line: string) => void;
}

/** Puts work on a server that runs, from a process of its own. */
export async function measure(work: Work, peer: Peer, server: Running, seconds: number): Promise<JobResult> {
  const protocol = peer.protocols[work.transport];
  if (protocol === undefined) throw new Error(`${peer.name} has no ${work.transport}`);
  const job: Job = {
    ...loadDefaults,
    seconds,
    ...work.load,
    protocol,
    port: server.port(work.transport),
    pids: server.pids,
  };
  const options = { maxBuffer: OUTPUT_BYTES_MAX };
  const { stdout } = await promisify(execFile)(process.execPath, [generator, JSON.stringify(job)], options);
  return JSON.parse(stdout) as JobResult;
}

/** Starts a server with a group of everybody, if there is one in this work. */
export async function startFor(work: Work, peer: Peer, dir: string): Promise<Running> {
  const server = await peer.start(dir);
  if (work.load.mode === 'fanout') await server.makeGroup(work.load.connections + 1);
  return server;
}

/**
 * All rounds of one work: in each round every server has its turn, so that whatever else the machine
 * does meets all of them. They are started for this work alone; where memory of connections is
 * measured, anew for each round, since a server keeps what it once had. A round that fails is noted,
 * and the others go on.
 */
export function runWork(
  work: Work,
  peers: readonly Peer[],
  settings: RunSettings,
  results: Results,
): Promise<void> {
  return withScratch(async (scratch) => {
    const rounds = Math.min(settings.rounds, work.roundsMax ?? settings.rounds);
    const running = new Map<Peer, Running>();
    try {
      for (let round = 1; round <= rounds; round++) {
        for (const peer of peers) {
          settings.say(`${work.name}, round ${round} of ${rounds}: ${peer.title}`);
          try {
            results.add(work.name, peer.name, await oneTurn(work, peer, settings, scratch, running));
          } catch (error) {
            results.addFailure(work.name, peer.name, whyOf(error));
            await running.get(peer)?.stop();
            running.delete(peer); // the next round begins with a new one
          }
        }
      }
    } finally {
      for (const server of running.values()) await server.stop();
    }
  });
}

/** Of a generator that failed: what it wrote. */
function whyOf(error: unknown): string {
  const { stderr = '', message } = error as Error & { readonly stderr?: string };
  return (stderr || message).trim();
}

async function oneTurn(
  work: Work,
  peer: Peer,
  { seconds }: RunSettings,
  scratch: string,
  running: Map<Peer, Running>,
): Promise<Figures> {
  const before = running.get(peer);
  const server = before ?? (await startFor(work, peer, mkdtempSync(join(scratch, 'data-'))));
  running.set(peer, server);
  if (work.load.mode === 'idle') {
    const { figures } = await measure(work, peer, server, seconds);
    running.delete(peer);
    await server.stop();
    return figures;
  }
  if (before === undefined) await measure(work, peer, server, WARM_SECONDS);
  return (await measure(work, peer, server, seconds)).figures;
}
