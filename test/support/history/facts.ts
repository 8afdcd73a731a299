/**
 * What is wrong with a history:
 * - lost: a message that should be there, or should have come, is missing;
 * - duplicated: a number with two messages, a message with two numbers, a message twice on one
 *   connection, or one that was read and came again;
 * - reordered: messages, numbers or replies in another order than asked for;
 * - wrong: a message that nobody sent, that was refused, or that came to the wrong receiver.
 */
export const factKinds = ['lost', 'duplicated', 'reordered', 'wrong'] as const;
export type FactKind = (typeof factKinds)[number];

export interface Fact {
  readonly kind: FactKind;
  readonly text: string;
}

/** Counts facts and keeps the first of each kind. */
export class Facts {
  readonly counts: Record<FactKind, number> = { lost: 0, duplicated: 0, reordered: 0, wrong: 0 };
  readonly first: Fact[] = [];
  readonly #keptMax: number;

  /** `keptMax` bounds the facts of each kind that are kept as texts. */
  constructor(keptMax: number) {
    this.#keptMax = keptMax;
  }

  add(kind: FactKind, text: () => string): void {
    this.counts[kind] += 1;
    if (this.counts[kind] <= this.#keptMax) this.first.push({ kind, text: text() });
  }

  get total(): number {
    return factKinds.reduce((sum, kind) => sum + this.counts[kind], 0);
  }
}
