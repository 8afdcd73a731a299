import type { GoimHello } from '../wire/goim.ts';

/** What its shard keeps of a connection that speaks goim's dialect (docs/goim.md). */
export class GoimClient {
  readonly key: string;
  /** Operations that it wants, besides what goes to its room. */
  accepts: readonly number[];
  /** As it said, or as its last op 12 said; empty: none. The registry keeps its members by it. */
  room: string;
  /** What unanswered op 12, 14 and 16 are answered with, by ticket: their own bodies. */
  #bodies: Map<number, Buffer> | undefined;

  constructor({ key, room, accepts }: GoimHello) {
    this.key = key;
    this.room = room;
    this.accepts = accepts;
  }

  accept(operations: readonly number[]): void {
    this.accepts = [...new Set([...this.accepts, ...operations])];
  }

  refuse(operations: readonly number[]): void {
    this.accepts = this.accepts.filter((operation) => !operations.includes(operation));
  }

  keepBody(ticket: number, body: Buffer): void {
    (this.#bodies ??= new Map()).set(ticket, body);
  }

  takeBody(ticket: number): Buffer | undefined {
    const body = this.#bodies?.get(ticket);
    this.#bodies?.delete(ticket);
    return body;
  }
}
