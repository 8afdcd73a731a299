import assert from 'node:assert/strict';
import { MessagingClient } from '../../src/client/index.ts';
import type { CometClient } from '../../src/client/index.ts';

/** A conversation of mids: `p:LOW:HIGH` or `g:GID`. */
export const pairKey = (a: number, b: number): string => `p:${Math.min(a, b)}:${Math.max(a, b)}`;
export const groupKey = (gid: number): string => `g:${gid}`;

/** A message as one connection got it. In messaging the number of a messaging message is not told. */
export interface Seen {
  readonly conversation: string;
  readonly chatId: number | undefined;
  readonly text: string;
}

/**
 * What one connection of a user got, in order. Messages of messaging are read as they come, so that
 * the mailbox holds only what was not delivered.
 */
export class Stream {
  readonly mid: number;
  readonly client: CometClient | MessagingClient;
  readonly seen: Seen[] = [];
  onSeen: (() => void) | undefined;

  constructor(mid: number, client: CometClient | MessagingClient) {
    this.mid = mid;
    this.client = client;
  }

  /** To be awaited right after connecting: what has come already is taken before anything new. */
  async begin(): Promise<void> {
    const { client } = this;
    if (client instanceof MessagingClient) {
      const take = (message: Awaited<ReturnType<MessagingClient['nextMessage']>>): void => {
        const { id, sid, rid, chatId, text } = message;
        const gid = /^#(\d+)$/.exec(String(rid))?.[1];
        const conversation = gid === undefined ? pairKey(Number(sid), Number(rid)) : groupKey(Number(gid));
        client.read({ id });
        this.#take({ conversation, chatId: chatId as number | undefined, text: String(text) });
      };
      while (client.waitingMessages > 0) take(await client.nextMessage());
      client.on('message', take);
    } else {
      const take = ({
        group,
        from,
        to,
        chatId,
        text,
      }: Awaited<ReturnType<CometClient['nextMessage']>>): void => {
        const conversation = group ? groupKey(to) : pairKey(from, to);
        this.#take({
          conversation,
          chatId,
          text: text.startsWith('{') ? (JSON.parse(text) as Seen).text : text,
        });
      };
      while (client.waitingMessages > 0) take(await client.nextMessage());
      client.on('message', take);
    }
  }

  #take(seen: Seen): void {
    this.seen.push(seen);
    this.onSeen?.();
  }
}

/** Numbers of texts by conversation, from replies and from op 9: every source has to agree. */
export class Numbers {
  readonly #texts = new Map<string, Map<number, string>>();
  readonly #numbers = new Map<string, number>();

  add(conversation: string, chatId: number, text: string): void {
    let texts = this.#texts.get(conversation);
    if (texts === undefined) this.#texts.set(conversation, (texts = new Map()));
    assert.equal(texts.get(chatId) ?? text, text, `${conversation} ${chatId} is two messages`);
    assert.equal(this.#numbers.get(text) ?? chatId, chatId, `"${text}" has two numbers`);
    texts.set(chatId, text);
    this.#numbers.set(text, chatId);
  }

  addStream({ seen }: Stream): void {
    for (const { conversation, chatId, text } of seen)
      if (chatId !== undefined) this.add(conversation, chatId, text);
  }

  numberOf(text: string): number | undefined {
    return this.#numbers.get(text);
  }

  textsOf(conversation: string): ReadonlyMap<number, string> {
    return this.#texts.get(conversation) ?? new Map();
  }

  /** All numbers of 1..last are known. */
  assertDense(conversation: string, last: number): void {
    const numbers = [...this.textsOf(conversation).keys()].sort((a, b) => a - b);
    assert.deepEqual(
      numbers,
      Array.from({ length: last }, (_, i) => i + 1),
      `${conversation} is dense`,
    );
  }

  /**
   * Each message once, in chatId order, and none left out between the first and the last, except
   * those for which `mayMiss` says so.
   */
  assertStream({ seen, mid }: Stream, mayMiss: (text: string) => boolean): void {
    const byConversation = new Map<string, number[]>();
    const texts = new Set<string>();
    for (const { conversation, chatId, text } of seen) {
      assert.ok(!texts.has(text), `${mid} got "${text}" twice on one connection`);
      texts.add(text);
      const number = chatId ?? this.numberOf(text);
      if (number === undefined) continue; // only messaging clients know it
      const numbers = byConversation.get(conversation);
      if (numbers === undefined) byConversation.set(conversation, [number]);
      else numbers.push(number);
    }
    for (const [conversation, numbers] of byConversation) {
      const [first = 0] = numbers;
      const last = numbers.at(-1) ?? 0;
      const got = new Set(numbers);
      assert.deepEqual(
        numbers,
        [...numbers].sort((a, b) => a - b),
        `${mid}: ${conversation} in order`,
      );
      for (let number = first; number <= last; number++) {
        const text = this.textsOf(conversation).get(number);
        if (text === undefined || got.has(number)) continue;
        assert.ok(mayMiss(text), `${mid} missed ${conversation} ${number} "${text}"`);
      }
    }
  }
}
