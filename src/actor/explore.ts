import { actorLimits } from './limits.ts';
import type { Simulation } from './simulate.ts';

/** What {@link explore} takes besides. */
export interface ExploreOptions {
  /** The first seed; the others follow it. Default: another one each time. */
  readonly seed?: number;
}

/** The simulations of the run under way. */
let running: Simulation[] | undefined;

/** A new simulation is part of the run under way, if there is one. */
export function enroll(simulation: Simulation): void {
  running?.push(simulation);
}

/**
 * Runs a scenario with one seed after the other, until one fails: then that seed, and the end of its
 * simulation's trace, are printed and thrown. `ACTOR_SEED=<seed>` in the environment runs that seed
 * alone, and gives the same run again. One at a time: a scenario must not call explore.
 *
 * @throws Error whose `cause` is what the scenario threw.
 */
export async function explore(
  runs: number,
  scenario: (seed: number) => void | Promise<void>,
  options: ExploreOptions = {},
): Promise<void> {
  const given = process.env['ACTOR_SEED'];
  const first = given === undefined ? (options.seed ?? Date.now() % 2 ** 31) : Number(given);
  for (let run = 0; run < (given === undefined ? runs : 1); run++) {
    const seed = (first + run) % 2 ** 31;
    const simulations: Simulation[] = [];
    running = simulations;
    try {
      await scenario(seed);
    } catch (error) {
      const report = describe(seed, run + 1, simulations, error);
      process.stderr.write(`${report}\n`);
      throw new Error(report, { cause: error });
    } finally {
      running = undefined;
      for (const simulation of simulations) simulation.dispose();
    }
  }
}

function describe(seed: number, run: number, simulations: readonly Simulation[], error: unknown): string {
  const trace = simulations.flatMap((simulation) => simulation.trace.slice(-actorLimits.tracePrintedMax));
  return [
    `seed ${seed} fails (run ${run}); ACTOR_SEED=${seed} runs it again`,
    ...trace.map((line) => `  ${line}`),
    error instanceof Error ? error.message : String(error),
  ].join('\n');
}
