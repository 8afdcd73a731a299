import type { Snapshot } from './snapshot.ts';

export type Labels = Readonly<Record<string, string | number>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** Of a histogram: which of its series. */
  readonly series?: 'bucket' | 'sum' | 'count';
}

/** A metric as /metrics tells it (docs/operations.md "Metrics", which a test holds to these). */
export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Of the histograms without `le`. */
  readonly labels: readonly string[];
  readonly samples: (snapshot: Snapshot) => Iterable<Sample>;
}

/** The series of a histogram as histogram.ts keeps it. */
export function* histogramSamples(
  values: Float64Array,
  bounds: readonly number[],
  labels: Labels,
): Generator<Sample> {
  let count = 0;
  for (let i = 0; i <= bounds.length; i++) {
    count += values[i] ?? 0;
    yield { series: 'bucket', labels: { ...labels, le: bounds[i] ?? '+Inf' }, value: count };
  }
  yield { series: 'sum', labels, value: values[bounds.length + 1] ?? 0 };
  yield { series: 'count', labels, value: count };
}
