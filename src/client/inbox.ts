import { WaitTimeout } from './errors.ts';

interface Waiter<T> {
  readonly resolve: (item: T) => void;
  readonly reject: (error: Error) => void;
  timer: NodeJS.Timeout | undefined;
}

/** Items in order, each given once: to whoever waits already, or to the next who asks. */
export class Inbox<T> {
  readonly #what: string;
  readonly #itemsMax: number;
  readonly #onFull: () => void;
  #items: T[] = [];
  #head = 0;
  #waiters: Waiter<T>[] = [];
  #end: Error | undefined;

  /** `what` names an item in the error of a wait that takes too long. */
  constructor(what: string, itemsMax: number, onFull: () => void) {
    this.#what = what;
    this.#itemsMax = itemsMax;
    this.#onFull = onFull;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    const waiter = this.#waiters.shift();
    if (waiter !== undefined) {
      clearTimeout(waiter.timer);
      waiter.resolve(item);
    } else if (this.length < this.#itemsMax) {
      this.#items.push(item);
    } else {
      this.#onFull();
    }
  }

  /** Rejects with WaitTimeout, or with the reason of `end` once the items before it are taken. */
  next(timeoutMs: number): Promise<T> {
    if (this.length > 0) return Promise.resolve(this.#shift());
    if (this.#end !== undefined) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      const waiter: Waiter<T> = { resolve, reject, timer: undefined };
      waiter.timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(new WaitTimeout(this.#what, timeoutMs));
      }, timeoutMs);
      this.#waiters.push(waiter);
    });
  }

  /** The next item if one is here. */
  take(): T | undefined {
    return this.length > 0 ? this.#shift() : undefined;
  }

  end(error: Error): void {
    this.#end ??= error;
    for (const waiter of this.#waiters) {
      clearTimeout(waiter.timer);
      waiter.reject(error);
    }
    this.#waiters = [];
  }

  /** Taken items are cut off once they are half of the array: each is moved a constant number of times. */
  #shift(): T {
    const item = this.#items[this.#head] as T;
    this.#head += 1;
    if (this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
