/** Lets so many through at a time; the others wait, in order. What passes has a number of its own. */
export class Turnstile {
  readonly #free: number[];
  readonly #waiting: ((number: number) => void)[] = [];

  constructor(size: number) {
    this.#free = Array.from({ length: size }, (_, number) => size - 1 - number);
  }

  async pass<T>(act: (number: number) => Promise<T>): Promise<T> {
    const number = this.#free.pop() ?? (await new Promise<number>((resolve) => this.#waiting.push(resolve)));
    try {
      return await act(number);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(number);
      else next(number);
    }
  }
}
