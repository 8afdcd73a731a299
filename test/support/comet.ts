import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { binaryEncoding } from '../../src/client/encoding-binary.ts';
import { jsonEncoding } from '../../src/client/encoding-json.ts';
import type { Encoding, Reply } from '../../src/client/encoding.ts';
import { CometTcpClient, CometWebSocketClient } from '../../src/client/index.ts';
import type { Closed, CometMessage, Content, ConversationName, Frame } from '../../src/client/index.ts';
import type { HistoryOptions, HistoryPage, JsonValue } from '../../src/client/index.ts';
import type { Server, ServerOptions } from '../../src/server.ts';
import type { CometKind, Target } from './clients.ts';
import { Ids } from './ids.ts';
import { startTestServer } from './server.ts';

/** One comet connection, frame by frame: every frame must be taken, and in the order it came. */
export class Wire {
  readonly kind: CometKind;
  readonly client: CometTcpClient | CometWebSocketClient;
  mid = 0;
  readonly #encoding: Encoding;
  #messages: CometMessage[] = [];
  #seq = 0;

  /** A connection that has not said who it is. */
  static async open(kind: CometKind, server: Target): Promise<Wire> {
    const settings = { heartbeatMs: 0, timeoutMs: 10_000, unpack: false };
    const encoding = kind === 'ws-json' ? 'json' : 'binary';
    if (kind === 'tcp')
      return new Wire(kind, await CometTcpClient.open({ ...server.tcpAddress, ...settings }));
    return new Wire(kind, await CometWebSocketClient.open({ ...server.httpAddress, ...settings, encoding }));
  }

  /** An authenticated one, its op 8 taken. */
  static async connect(
    kind: CometKind,
    server: Target,
    mid: number,
    device?: string,
    ack?: boolean,
  ): Promise<Wire> {
    const wire = await Wire.open(kind, server);
    wire.auth(mid, 1, device, ack);
    assert.deepEqual(await wire.reply(8, 1), { ret: 0, mid });
    return wire;
  }

  constructor(kind: CometKind, client: CometTcpClient | CometWebSocketClient) {
    this.kind = kind;
    this.client = client;
    this.#encoding = kind === 'ws-json' ? jsonEncoding : binaryEncoding;
  }

  /** Why it ended. Rejects when it does not. */
  get closed(): Promise<Closed> {
    return within(this.client.closed, 'end of the connection');
  }

  get isJson(): boolean {
    return this.kind === 'ws-json';
  }

  /** Without a body: an empty one, or none in JSON. */
  frame(op: number, seq: number, body: unknown = this.#encoding.empty(), ver = 1): void {
    this.client.sendFrame({ ver, op, seq, body });
  }

  /** The same JSON body in the way of either encoding. */
  jsonFrame(op: number, seq: number, body: JsonValue, ver = 1): void {
    this.frame(op, seq, this.isJson ? body : Buffer.from(JSON.stringify(body)), ver);
  }

  auth(mid: number, seq: number, device?: string, ack?: boolean): void {
    this.mid = mid;
    const more = { ...(device !== undefined && { device }), ...(ack !== undefined && { ack }) };
    this.frame(7, seq, this.#encoding.auth({ mid, mkey: 'xxoo', ...more }));
  }

  /** Op 22; its reply is to be taken by the caller. */
  ack(seq: number, of: ConversationName, chatId: number): void {
    this.frame(22, seq, this.#encoding.ack(of, chatId));
  }

  /** Sends op 22 and takes its reply; where the conversation stands. */
  async acked(of: ConversationName, chatId: number): Promise<number> {
    const seq = (this.#seq += 1);
    this.ack(seq, of, chatId);
    const { ret, chatId: now, error } = await this.replyAmongBatches(23, seq);
    assert.equal(ret, 0, error);
    return now ?? 0;
  }

  /** Op 24; its reply is to be taken by the caller. */
  history(seq: number, of: ConversationName, options: HistoryOptions = {}): void {
    this.frame(24, seq, this.#encoding.history(of, options));
  }

  /** The next frame that is no op 9 must be this op 25: its page, or why it was refused. */
  async page(seq: number): Promise<HistoryPage | string> {
    for (;;) {
      const frame = await this.next();
      if (frame.op === 9) this.#messages.push(...this.unpack(frame));
      else {
        assert.deepEqual({ op: frame.op, seq: frame.seq, ver: frame.ver }, { op: 25, seq, ver: 1 });
        return this.#encoding.page(frame);
      }
    }
  }

  /** Sends op 24 and takes its reply. */
  async pageOf(of: ConversationName, options?: HistoryOptions): Promise<HistoryPage> {
    const seq = (this.#seq += 1);
    this.history(seq, of, options);
    const page = await this.page(seq);
    assert.ok(typeof page !== 'string', String(page));
    return page;
  }

  /** A send request: op 18 or 20. Its reply is to be taken by the caller. */
  message(op: 18 | 20, seq: number, to: number, content: Content, from = this.mid): void {
    this.frame(op, seq, this.#encoding.send(from, to, content));
  }

  /** Sends and takes the reply, which must be the next frame but for batches; returns its chatId. */
  async say(to: number, content: Content, op: 18 | 20 = 18): Promise<number> {
    const seq = (this.#seq += 1);
    this.message(op, seq, to, content);
    const { ret, chatId, error } = await this.replyAmongBatches(op + 1, seq);
    assert.equal(ret, 0, error);
    return chatId ?? 0;
  }

  next(): Promise<Frame> {
    return this.client.nextFrame();
  }

  /** The next frame must be this reply; its body. */
  async reply(op: number, seq: number, ver = 1): Promise<Reply> {
    return this.#read(await this.next(), op, seq, ver);
  }

  /** The next frame that is no op 9 must be this reply. The messages before it wait for `messages`. */
  async replyAmongBatches(op: number, seq: number): Promise<Reply> {
    for (;;) {
      const frame = await this.next();
      if (frame.op !== 9) return this.#read(frame, op, seq, 1);
      this.#messages.push(...this.unpack(frame));
    }
  }

  /** So many messages; whatever else comes in between is wrong. */
  async messages(count: number): Promise<CometMessage[]> {
    while (this.#messages.length < count) this.#messages.push(...(await this.batch()));
    return this.#messages.splice(0, count);
  }

  /** The texts of so many messages. */
  async texts(count: number): Promise<string[]> {
    return (await this.messages(count)).map(({ text }) => text);
  }

  /** The next frame must be an op 9; its messages. */
  async batch(): Promise<CometMessage[]> {
    return this.unpack(await this.next());
  }

  /** A heartbeat there and back: what was asked before it is answered, which is checked to be nothing. */
  async beat(): Promise<void> {
    const seq = (this.#seq += 1);
    this.frame(2, seq);
    const frame = await this.next();
    assert.deepEqual([frame.op, frame.seq], [3, seq]);
  }

  async end(): Promise<void> {
    await this.client.close();
  }

  #read(frame: Frame, op: number, seq: number, ver: number): Reply {
    assert.deepEqual({ op: frame.op, seq: frame.seq, ver: frame.ver }, { op, seq, ver });
    return this.#encoding.reply(frame);
  }

  /** The messages of an op 9. */
  unpack(frame: Frame): CometMessage[] {
    assert.deepEqual({ op: frame.op, seq: frame.seq, ver: frame.ver }, { op: 9, seq: 0, ver: 1 });
    const messages = this.#encoding.messages(frame);
    assert.ok(messages.length > 0, 'a batch holds a message at least');
    return messages;
  }
}

/** A refusal as each encoding can tell it: a binary op 19 or 21 has no room for the code. */
export const refusal = (kind: CometKind, error: string): Reply =>
  kind === 'ws-json' ? { ret: -1, chatId: 0, error } : { ret: -1, chatId: 0 };

/** The server of a describe, and names for its users. */
export class Bench implements Target {
  readonly ids: Ids;
  readonly workers: number;
  #server: Server | undefined;

  constructor(workers: number, options: Partial<ServerOptions> = {}) {
    this.ids = new Ids(workers);
    this.workers = workers;
    before(async () => {
      this.#server = await startTestServer({ ...options, workers });
    });
    after(() => this.#server?.close());
  }

  get server(): Server {
    assert.ok(this.#server);
    return this.#server;
  }

  get tcpAddress(): Server['tcpAddress'] {
    return this.server.tcpAddress;
  }

  get httpAddress(): Server['httpAddress'] {
    return this.server.httpAddress;
  }

  get adminAddress(): Server['adminAddress'] {
    return this.server.adminAddress;
  }

  /** A mid that nobody has, on the given shard (modulo their number) or on any. */
  mid(shard?: number): number {
    return this.ids.mid(shard);
  }

  connect(kind: CometKind, mid = this.mid(), device?: string): Promise<Wire> {
    return Wire.connect(kind, this, mid, device);
  }

  /** One that acknowledges. */
  connectAck(kind: CometKind, mid = this.mid(), device?: string): Promise<Wire> {
    return Wire.connect(kind, this, mid, device, true);
  }

  open(kind: CometKind): Promise<Wire> {
    return Wire.open(kind, this);
  }
}

/** Ends a connection, and waits until its user has let it go: what it took is known then. */
export async function leave(bench: Bench, wire: { end(): Promise<unknown> }): Promise<void> {
  const connections = bench.server.connections;
  await wire.end();
  while (bench.server.connections >= connections) await new Promise((resolve) => setImmediate(resolve));
}

/** Where users of one, two and four shards matter. */
export function onWorkers(title: string, body: (bench: Bench) => void): void {
  for (const workers of [1, 2, 4]) {
    describe(`${title}, workers: ${workers}`, { timeout: 60_000 }, () => {
      body(new Bench(workers));
    });
  }
}

export const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

/** A wait that fails instead of hanging. */
export async function within<T>(promise: Promise<T>, what: string, timeoutMs = 10_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
