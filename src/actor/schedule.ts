/**
 * Who has the next turn, and for how long. A system has none: it goes round robin, for the sake of
 * speed and fairness. A simulation has one, that a seed decides.
 */
export interface Schedule {
  /** Which of so many ready actors runs next, from 0. */
  pick(ready: number): number;
  /** The most messages of the next turn. */
  turnMessages(): number;
  /** Whether the drain ends after this turn. */
  yields(): boolean;
}
