/**
 * A histogram without objects: a number for each bucket, one for what is above the last bound, and
 * the sum of all values at the end. Bounds are inclusive, as Prometheus has them (`le`).
 */
export const emptyHistogram = (bounds: readonly number[]): Float64Array =>
  new Float64Array(bounds.length + 2);

/** `times` observations of one value. */
export function observe(
  histogram: Float64Array,
  bounds: readonly number[],
  value: number,
  times: number,
): void {
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
  histogram[bucket]! += times;
  histogram[bounds.length + 1]! += value * times;
}

/** Messages in one op 9, or one `messages` notification. */
export const batchBounds: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096];

/** Seconds. */
export const secondsBounds: readonly number[] = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
];
