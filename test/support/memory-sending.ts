import type { Outgoing, SendingApi, Sent, SentToEveryone } from '../../src/admin/sending-api.ts';
import type { UserId } from '../../src/wire/user-id.ts';

/** Keeps what it was told to send, for the admin port to be tested against. */
export class MemorySending implements SendingApi {
  /** Every call fails with this. */
  failure: Error | undefined;
  /** Each receiver fails with this. */
  error: Sent['error'];
  readonly sent: { readonly message: Outgoing; readonly text: string; readonly to: unknown }[] = [];

  async toUsers(message: Outgoing, to: readonly UserId[]): Promise<readonly Sent[]> {
    this.#keep(message, to);
    return to.map((user) => this.#outcome(user));
  }

  async toGroups(message: Outgoing, to: readonly number[]): Promise<readonly Sent[]> {
    this.#keep(message, { groups: to });
    return to.map((group) => this.#outcome(group));
  }

  async toEveryone(message: Outgoing): Promise<SentToEveryone> {
    this.#keep(message, 'everyone');
    return { users: 3, counts: { delivered: 2, stored: 0, offline: 1, failed: 0 }, missingShards: [1] };
  }

  #outcome(to: UserId): Sent {
    const { error } = this;
    if (error !== undefined) return { to, status: 'failed', chatId: 0, connections: 0, error };
    return { to, status: 'delivered', chatId: 4, connections: 2 };
  }

  #keep(message: Outgoing, to: unknown): void {
    if (this.failure !== undefined) throw this.failure;
    this.sent.push({ message, text: Buffer.from(message.content).toString('latin1'), to });
  }
}
