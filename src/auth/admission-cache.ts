import type { Admission } from './auth.ts';

interface Entry {
  readonly admission: Admission;
  readonly until: number;
}

/** Admissions by a digest of the credentials, for a short time. Full: the oldest is forgotten. */
export class AdmissionCache {
  readonly #keepMs: number;
  readonly #entriesMax: number;
  readonly #entries = new Map<string, Entry>();

  constructor(keepMs: number, entriesMax: number) {
    this.#keepMs = keepMs;
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string, now = Date.now()): Admission | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.until > now && entry.until <= now + this.#keepMs) return entry.admission;
    this.#entries.delete(key);
    return undefined;
  }

  /** It is kept no longer than it is good. */
  set(key: string, admission: Admission, now = Date.now()): void {
    this.#entries.delete(key);
    const until = Math.min(now + this.#keepMs, admission.expiresAt ?? Number.POSITIVE_INFINITY);
    if (this.#entries.size >= this.#entriesMax) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest as string);
    }
    this.#entries.set(key, { admission, until });
  }
}
