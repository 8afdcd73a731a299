import type { History } from './history.ts';

/** A conversation that is read whole from the log: every number once, in order, none left out. */
export class Reading {
  readonly #history: History;
  readonly #conversation: number;
  readonly #oldestFirst: boolean;
  readonly #name: string;
  #first = 0;
  #last = 0;

  constructor(history: History, conversation: number, oldestFirst: boolean, reader: string) {
    this.#history = history;
    this.#conversation = conversation;
    this.#oldestFirst = oldestFirst;
    this.#name = `${reader} (${oldestFirst ? 'oldest' : 'newest'} first)`;
  }

  /** Where the next page begins: the last number that was read; 0: nothing was. */
  get last(): number {
    return this.#last;
  }

  take(serial: number, number: number): void {
    const { facts } = this.#history;
    const before = this.#last;
    const wanted = this.#oldestFirst ? before + 1 : before - 1;
    const isFirst = this.#first === 0;
    this.#history.log(this.#name, this.#conversation, serial, number);
    if (isFirst) this.#first = number;
    this.#last = number;
    const isNext = isFirst && !this.#oldestFirst ? true : number === wanted;
    if (isNext) return;
    const isGap = this.#oldestFirst ? number > wanted : number < wanted;
    const kind = isGap ? 'lost' : number === before ? 'duplicated' : 'reordered';
    facts.add(kind, () => `${this.#name}: the log of ${this.#where} has ${number} behind ${before}`);
  }

  /** It was all: up to the last number that anybody knows of. */
  end(): void {
    const { facts, conversations } = this.#history;
    const known = conversations[this.#conversation]?.last ?? 0;
    const [lowest, highest] = this.#oldestFirst ? [this.#first, this.#last] : [this.#last, this.#first];
    if (highest < known || lowest > 1)
      facts.add('lost', () => {
        return `${this.#name}: the log of ${this.#where} has ${lowest} to ${highest}, and not 1 to ${known}`;
      });
  }

  get #where(): string {
    return this.#history.conversations[this.#conversation]?.name ?? '';
  }
}
