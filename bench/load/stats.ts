/** The middle value; of two middle ones their mean. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const high = sorted[sorted.length >> 1] ?? Number.NaN;
  const low = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return (low + high) / 2;
}

/** The median of the quotients of values that were measured one after the other. */
export function medianRatio(values: readonly number[], of: readonly number[]): number {
  return median(values.slice(0, of.length).map((value, i) => value / of[i]!));
}
