import type { Figures, Metric } from './generator/job.ts';
import { median, medianRatio } from './stats.ts';

/** What was measured, round by round, so that ratios are of neighbours in time. */
export class Results {
  readonly #rounds = new Map<string, Figures[]>();
  readonly #failures: { readonly work: string; readonly server: string; readonly why: string }[] = [];

  add(work: string, server: string, figures: Figures): void {
    const key = keyOf(work, server);
    this.#rounds.set(key, [...(this.#rounds.get(key) ?? []), figures]);
  }

  /** A round that did not end as it should. */
  addFailure(work: string, server: string, why: string): void {
    this.#failures.push({ work, server, why });
  }

  /** Why rounds of this server failed. */
  failures(work: string, server: string): readonly string[] {
    return this.#failures.filter((one) => one.work === work && one.server === server).map(({ why }) => why);
  }

  /** Every round ended, and of what this server was sent nothing was lost, doubled or misled. */
  isSound(work: string, server: string): boolean {
    const faults = (['missing', 'repeated', 'foreign', 'unanswered'] as const).map((metric) =>
      this.sum(work, server, metric),
    );
    return this.failures(work, server).length === 0 && faults.every((count) => count === 0);
  }

  rounds(work: string, server: string): number {
    return this.#of(work, server).length;
  }

  /** Undefined if it was not measured. */
  median(work: string, server: string, metric: Metric): number | undefined {
    const value = median(this.#values(work, server, metric));
    return Number.isNaN(value) ? undefined : value;
  }

  /** The metric of one server divided by that of another, in the same work. */
  ratio(work: string, server: string, other: string, metric: Metric): number | undefined {
    const value = medianRatio(this.#values(work, server, metric), this.#values(work, other, metric));
    return Number.isNaN(value) ? undefined : value;
  }

  /** Of all rounds. */
  sum(work: string, server: string, metric: Metric): number {
    return this.#of(work, server).reduce((total, figures) => total + (figures[metric] ?? 0), 0);
  }

  #values(work: string, server: string, metric: Metric): number[] {
    return this.#of(work, server).map((figures) => figures[metric] ?? Number.NaN);
  }

  #of(work: string, server: string): readonly Figures[] {
    return this.#rounds.get(keyOf(work, server)) ?? [];
  }
}

const keyOf = (work: string, server: string): string => `${work}\n${server}`;
