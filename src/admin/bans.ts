import { z } from 'zod';
import { limits } from '../limits.ts';
import { isMid, type UserId } from '../wire/user-id.ts';
import { AdminError } from './errors.ts';
import { LineFile } from './line-file.ts';

export interface Ban {
  readonly user: UserId;
  /** In milliseconds since 1970; `until` null: for good. */
  readonly since: number;
  readonly until: number | null;
  readonly reason: string;
}

/** A ban with its place in the list. */
export interface ListedBan extends Ban {
  readonly number: number;
}

const banLine = z.object({
  user: z.union([z.int().refine(isMid), z.string()]),
  since: z.number(),
  until: z.number().nullable(),
  reason: z.string(),
});
const line = z.union([z.strictObject({ ban: banLine }), z.strictObject({ unban: banLine.shape.user })]);

/**
 * Users who may not connect, at most limits.bansMax. Asked when a connection is authenticated, kept in
 * memory, and in a file if there is one, so that a restart changes nothing.
 */
export class Bans {
  /** In the order in which they were made. */
  readonly #bans = new Map<UserId, ListedBan>();
  readonly #now: () => number;
  #file: LineFile | undefined;
  #lastNumber = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Reads the file, which need not be there. Rejects when it is no file of bans. */
  async open(path: string): Promise<void> {
    this.#file = await LineFile.open(
      path,
      (text) => this.#read(text, path),
      () => this.#text(),
    );
  }

  close(): Promise<void> {
    return this.#file?.close() ?? Promise.resolve();
  }

  get size(): number {
    return this.#bans.size;
  }

  find(user: UserId): Ban | undefined {
    const ban = this.#bans.get(user);
    return ban !== undefined && this.#isOver(ban) ? undefined : ban;
  }

  has(user: UserId): boolean {
    return this.find(user) !== undefined;
  }

  /**
   * In force at once; resolves when it is stored. AdminError `too_many_bans`; EnckeError
   * `storage_unavailable`: then it was as before again.
   */
  async add(user: UserId, durationMs: number | null, reason: string): Promise<Ban> {
    const before = this.#bans.get(user);
    if (before === undefined) this.#makeRoom();
    const since = this.#now();
    const ban = { user, since, until: durationMs === null ? null : since + durationMs, reason };
    this.#put(ban);
    try {
      await this.#file?.append(JSON.stringify({ ban }));
    } catch (error) {
      if (before === undefined) this.#bans.delete(user);
      else this.#put(before);
      throw error;
    }
    return ban;
  }

  /** Whether the user was banned. Over when that is stored. */
  async remove(user: UserId): Promise<boolean> {
    if (!this.has(user)) return false;
    await this.#file?.append(JSON.stringify({ unban: user }));
    return this.#bans.delete(user);
  }

  /** Those behind a number, at most `limit`. */
  list(after: number, limit: number): ListedBan[] {
    const page: ListedBan[] = [];
    for (const ban of this.#bans.values()) {
      if (page.length === limit) break;
      if (ban.number > after && !this.#isOver(ban)) page.push(ban);
    }
    return page;
  }

  #put(ban: Ban): void {
    this.#bans.delete(ban.user); // it goes to the end
    this.#bans.set(ban.user, { ...ban, number: (this.#lastNumber += 1) });
  }

  #makeRoom(): void {
    if (this.#bans.size < limits.bansMax) return;
    for (const ban of this.#bans.values()) if (this.#isOver(ban)) this.#bans.delete(ban.user);
    if (this.#bans.size >= limits.bansMax) throw new AdminError('too_many_bans');
  }

  #isOver({ until }: Ban): boolean {
    return until !== null && until <= this.#now();
  }

  #read(text: string, path: string): void {
    let parsed;
    try {
      parsed = line.parse(JSON.parse(text));
    } catch {
      throw new Error(`${path} is damaged: restore it from a backup, or remove it with all bans`);
    }
    if ('unban' in parsed) this.#bans.delete(parsed.unban);
    else this.#put(parsed.ban);
  }

  #text(): string {
    let text = '';
    for (const { number: _number, ...ban } of this.#bans.values()) {
      if (!this.#isOver(ban)) text += `${JSON.stringify({ ban })}\n`;
    }
    return text;
  }
}
