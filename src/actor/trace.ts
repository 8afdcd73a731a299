import { actorLimits } from './limits.ts';

/** What happened in a simulation, line by line: the latest lines, and a fingerprint of all of them. */
export class Trace {
  #lines: string[] = [];
  #hash = 0x811c_9dc5;

  add(line: string): void {
    this.#lines.push(line);
    for (let at = 0; at < line.length; at++) {
      this.#hash = Math.imul(this.#hash ^ line.charCodeAt(at), 0x0100_0193);
    }
    if (this.#lines.length >= actorLimits.traceLinesMax * 2) this.#lines = this.lines;
  }

  get lines(): string[] {
    return this.#lines.slice(-actorLimits.traceLinesMax);
  }

  get fingerprint(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }
}
