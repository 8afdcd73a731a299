import { GrowingUint32 } from './growing.ts';
import { Membership } from './membership.ts';
import type { Scope } from './scope.ts';

/** A pair or a group as the checker knows it. */
export class Conversation {
  readonly index: number;
  readonly name: string;
  readonly isGroup: boolean;
  /** By user. */
  readonly members = new Map<number, Membership>();
  /** Those of its users that have to get its messages. */
  readonly scopes: Scope[] = [];
  /** Number -> serial + 1. */
  readonly #serials = new GrowingUint32();

  constructor(index: number, name: string, isGroup: boolean) {
    this.index = index;
    this.name = name;
    this.isGroup = isGroup;
  }

  /** The highest number that anybody was told. */
  get last(): number {
    return Math.max(0, this.#serials.length - 1);
  }

  /** The message with this number; undefined while nobody told it. */
  serialAt(number: number): number | undefined {
    const entry = this.#serials.at(number);
    return entry === 0 ? undefined : entry - 1;
  }

  place(number: number, serial: number): void {
    this.#serials.set(number, serial + 1);
  }

  member(user: number): Membership {
    const membership = this.members.get(user);
    if (membership === undefined) throw new Error(`user ${user} is not known in ${this.name}`);
    return membership;
  }
}
