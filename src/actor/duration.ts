/** A length of time: milliseconds, or a text such as `250ms`, `61s`, `5m`, `2h`, `1d`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** @throws RangeError when it is negative or no length of time. */
export function toMs(duration: Duration): number {
  const parts = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(duration));
  const ms =
    typeof duration === 'number'
      ? duration
      : Number(parts?.[1]) * unitsMs[parts?.[2] as keyof typeof unitsMs];
  if (!(ms >= 0)) throw new RangeError(`${duration} is not a length of time`);
  return ms;
}
