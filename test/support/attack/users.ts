import { performance } from 'node:perf_hooks';
import type { CometClient } from '../../../src/client/index.ts';
import { CometTcpClient, CometWebSocketClient, MessagingClient } from '../../../src/client/index.ts';
import type { Ports } from './arena.ts';

export interface UsersReport {
  readonly sent: number;
  readonly received: number;
  /** What was lost, repeated, out of order, or whose connection ended. Empty: all is well. */
  readonly problems: readonly string[];
  /** From a send to its arrival at the other's program. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Mids that attackers do not make up by changing some bytes. */
const FIRST_MID = 1_500_000_000;
const PROBLEMS_MAX = 20;
const finishTimeoutMs = 20_000;

interface User {
  sayTo?: (gid: number, text: string) => Promise<unknown>;
  send(text: string): void;
  sent: number;
  /** Of what its partner sends. */
  received: number;
  close(): Promise<unknown>;
}

export const midsOf = (count: number): number[] => Array.from({ length: count }, (_, i) => FIRST_MID + i);

/**
 * Well-behaved users, in pairs that write to each other at a steady pace over every kind of
 * connection. Each numbers what it sends, and expects its partner's next number.
 */
export class SteadyUsers {
  readonly #canary: string;
  readonly #users: User[] = [];
  readonly #latencies: number[] = [];
  readonly #problems: string[] = [];
  #timers: NodeJS.Timeout[] = [];
  #leaving = false;

  constructor(canary: string) {
    this.#canary = canary;
  }

  async connect(ports: Ports, count: number): Promise<void> {
    for (let i = 0; i < count; i++) this.#users.push(await this.#user(ports, i));
  }

  /** What nobody outside the group may see. */
  async sayTo(gid: number): Promise<void> {
    for (const user of this.#users) await user.sayTo?.(gid, `${this.#canary} in the group`);
  }

  start(intervalMs: number): void {
    this.#timers = this.#users.map((user, i) => {
      const say = (): void => {
        user.sent += 1;
        user.send(`${this.#canary} ${user.sent} ${performance.now()}`);
      };
      // Spread over the interval, as people are.
      return setTimeout(
        () => {
          say();
          this.#timers.push(setInterval(say, intervalMs));
        },
        (intervalMs * i) / this.#users.length,
      );
    });
  }

  /** Stops sending, and waits for what is on its way. */
  async finish(): Promise<UsersReport> {
    for (const timer of this.#timers) clearTimeout(timer);
    const end = Date.now() + finishTimeoutMs;
    while (this.#users.some((user, i) => user.received < this.#partnerOf(i).sent)) {
      if (Date.now() > end) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    for (const [i, user] of this.#users.entries()) {
      const { sent } = this.#partnerOf(i);
      if (user.received !== sent) this.#complain(`user ${i} got ${user.received} of ${sent}`);
    }
    this.#leaving = true;
    await Promise.all(this.#users.map((user) => user.close()));
    const sorted = this.#latencies.sort((a, b) => a - b);
    const at = (share: number): number => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
    return {
      sent: this.#users.reduce((sum, { sent }) => sum + sent, 0),
      received: this.#latencies.length,
      problems: this.#problems,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: at(1),
    };
  }

  #partnerOf(i: number): User {
    return this.#users[i ^ 1] as User;
  }

  /** Partners speak the same protocol: both of a pair are comet, in any encoding, or messaging. */
  async #user(ports: Ports, i: number): Promise<User> {
    const pair = (i >> 1) % 7;
    const [mid, partner] = [FIRST_MID + i, FIRST_MID + (i ^ 1)];
    if (pair === 6) return this.#messagingUser(ports, i, mid, partner);
    const client = await cometClient(ports, (pair + (i & 1)) % 6, mid);
    client.on('message', ({ from, text }) => {
      if (from === partner) this.#receive(i, text);
    });
    this.#watch(i, client.closed);
    return {
      sent: 0,
      received: 0,
      sayTo: (gid, text) => client.sendToGroup(gid, text),
      send: (text) => {
        client.send(partner, text).catch((error: unknown) => this.#complain(`user ${i}: ${String(error)}`));
      },
      close: () => client.close(),
    };
  }

  async #messagingUser(ports: Ports, i: number, mid: number, partner: number): Promise<User> {
    const secure = (i & 1) === 1;
    const address = secure ? { ...ports.tlsHttp, tls: { rejectUnauthorized: false } } : ports.http;
    const client = await MessagingClient.connect({ ...address, clientId: mid });
    client.on('notification', ({ errors }) => {
      if (errors !== undefined) this.#complain(`user ${i}: ${JSON.stringify(errors)}`);
    });
    client.on('message', (message) => {
      client.read(message);
      if (String(message.sid) === String(partner)) this.#receive(i, String(message['text']));
    });
    this.#watch(i, client.closed);
    return {
      sent: 0,
      received: 0,
      send: (text) => void client.send(partner, { text }),
      close: () => client.close(),
    };
  }

  #watch(i: number, closed: Promise<{ readonly code: number; readonly reason: string }>): void {
    void closed.then(({ code, reason }) => {
      if (!this.#leaving) this.#complain(`user ${i} was closed: ${code} ${reason}`);
    });
  }

  #receive(i: number, text: string): void {
    const user = this.#users[i];
    const [canary, number, sentAt] = text.split(' ');
    if (text.endsWith('in the group')) return;
    if (user === undefined || canary !== this.#canary) return; // from an attacker, or a former run
    if (Number(number) !== user.received + 1)
      this.#complain(`user ${i} got number ${number} behind ${user.received}`);
    user.received = Number(number);
    this.#latencies.push(performance.now() - Number(sentAt));
  }

  #complain(problem: string): void {
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(problem);
  }
}

/** All six ways of comet. */
function cometClient(ports: Ports, kind: number, mid: number): Promise<CometClient> {
  const tls = { rejectUnauthorized: false };
  const settings = { mid, heartbeatMs: 1_000, timeoutMs: 30_000 };
  switch (kind) {
    case 0:
      return CometTcpClient.connect({ ...ports.tcp, ...settings });
    case 1:
      return CometWebSocketClient.connect({ ...ports.http, ...settings, encoding: 'json' });
    case 2:
      return CometWebSocketClient.connect({ ...ports.tlsHttp, ...settings, tls, encoding: 'binary' });
    case 3:
      return CometTcpClient.connect({ ...ports.tlsTcp, ...settings, tls });
    case 4:
      return CometWebSocketClient.connect({ ...ports.http, ...settings, encoding: 'binary' });
    default:
      return CometWebSocketClient.connect({ ...ports.tlsHttp, ...settings, tls, encoding: 'json' });
  }
}
