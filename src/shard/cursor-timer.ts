import { limits } from '../limits.ts';
import type { UserId } from '../wire/user-id.ts';

/** Users whose cursors moved: told to save them once, limits.cursorFlushMs after the first move. */
export class CursorTimer {
  readonly #save: (user: UserId) => void;
  #marked = new Set<UserId>();
  #timer: NodeJS.Timeout | undefined;

  constructor(save: (user: UserId) => void) {
    this.#save = save;
  }

  mark(user: UserId): void {
    this.#marked.add(user);
    this.#timer ??= setTimeout(this.#fire, limits.cursorFlushMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  readonly #fire = (): void => {
    this.#timer = undefined;
    const marked = this.#marked;
    this.#marked = new Set();
    for (const user of marked) this.#save(user);
  };
}
