import type { Random } from '../random.ts';

/** How often what has come is acknowledged at all: mostly it is late, and some of it at once. */
const share = 0.1;

/**
 * A device that acknowledges, over all of its connections: what it has, without a gap, of each
 * conversation, and which of it is acknowledged when.
 */
export class Acker {
  /** Conversation -> it has everything up to here. */
  readonly #tops = new Map<number, number>();
  /** Conversation -> own numbers above that, with a gap between. */
  readonly #own = new Map<number, Set<number>>();
  /** Conversations of which something is not acknowledged. */
  readonly #due = new Set<number>();

  /** Everything below that was not sent here came before. */
  received(conversation: number, number: number): void {
    if (number > this.#top(conversation)) this.#rise(conversation, number);
  }

  /** Stored, which does not say that everything below has come. */
  sent(conversation: number, number: number): void {
    const top = this.#top(conversation);
    if (number === top + 1) this.#rise(conversation, number);
    else if (number > top) {
      const own = this.#own.get(conversation);
      if (own === undefined) this.#own.set(conversation, new Set([number]));
      else own.add(number);
    }
  }

  /** What is acknowledged now: all in one go, a part, or less than before. */
  due(random: Random): { conversation: number; number: number }[] {
    if (!random.chance(share)) return [];
    const acks: { conversation: number; number: number }[] = [];
    for (const conversation of this.#due) {
      if (random.chance(0.2)) continue; // later
      const top = this.#top(conversation);
      const isPart = random.chance(0.2);
      acks.push({ conversation, number: isPart ? random.int(1, top) : top });
      if (random.chance(0.1)) acks.push({ conversation, number: random.int(1, top) });
      if (!isPart) this.#due.delete(conversation);
    }
    return acks;
  }

  #top(conversation: number): number {
    return this.#tops.get(conversation) ?? 0;
  }

  #rise(conversation: number, number: number): void {
    const own = this.#own.get(conversation);
    let top = number;
    while (own?.has(top + 1) === true) top += 1;
    for (const below of own ?? []) if (below <= top) own?.delete(below);
    this.#tops.set(conversation, top);
    this.#due.add(conversation);
  }
}
