/**
 * Load for a server, in a process of its own: pairs of connections that send to each other, each
 * with `window` messages unanswered. Prints one JSON line: what was delivered, and the server's and
 * this process's CPU time. Arguments: port, pid of the server, connections, window, seconds.
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

const [port = 0, pid = 0, connections = 0, window = 0, seconds = 0] = process.argv.slice(2).map(Number);
const HEADER_BYTES = 16;
const MESSAGE_BYTES = 64;
const FRAME_BYTES = HEADER_BYTES + 8 + MESSAGE_BYTES;
const TICKS_PER_SECOND = 100;
const WARM_UP_MS = 1_000;

let deliveries = 0;
let refusals = 0;

class Client {
  readonly #socket: Socket;
  readonly #frames: Buffer;
  #rest: Buffer = Buffer.alloc(0);
  onOpen: (() => void) | undefined;

  constructor(mid: number, to: number) {
    this.#frames = Buffer.concat(Array.from({ length: window }, () => frame(18, send(mid, to))));
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk) => this.#take(chunk));
    this.#socket.write(frame(7, Buffer.from(JSON.stringify({ mid, mkey: 'bench' }))));
  }

  send(count: number): void {
    this.#socket.write(this.#frames.subarray(0, count * FRAME_BYTES));
  }

  #take(chunk: Buffer): void {
    const buf = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    let replies = 0;
    while (buf.length - at >= HEADER_BYTES) {
      const length = buf.readInt32BE(at);
      if (buf.length - at < length) break;
      const op = buf.readInt32BE(at + 8);
      if (op === 19) {
        replies += 1;
        if (buf[at + HEADER_BYTES] !== 0) refusals += 1;
      } else if (op === 9) deliveries += countIn(buf, at + HEADER_BYTES, at + length);
      else if (op === 8) this.onOpen?.();
      at += length;
    }
    this.#rest = buf.subarray(at);
    if (replies > 0) this.send(replies);
  }
}

function countIn(buf: Buffer, start: number, end: number): number {
  let count = 0;
  for (let at = start; at < end; at += buf.readInt32BE(at)) count += 1;
  return count;
}

function frame(op: number, body: Buffer): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + body.length);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeInt16BE(HEADER_BYTES, 4);
  bytes.writeInt16BE(1, 6);
  bytes.writeInt32BE(op, 8);
  bytes.writeInt32BE(1, 12);
  body.copy(bytes, HEADER_BYTES);
  return bytes;
}

function send(from: number, to: number): Buffer {
  const body = Buffer.alloc(8 + MESSAGE_BYTES, 'x');
  body.writeInt32BE(from, 0);
  body.writeInt32BE(to, 4);
  return body;
}

/** CPU time of the server and all its threads, in microseconds. */
function cpuOf(process: number): number {
  const fields = readFileSync(`/proc/${process}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1_000_000;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const clients = Array.from({ length: connections }, (_, i) => new Client(i + 1, (i ^ 1) + 1));
await Promise.all(clients.map((client) => new Promise<void>((resolve) => (client.onOpen = () => resolve()))));
for (const client of clients) client.send(window);
await pause(WARM_UP_MS);
const before = { deliveries, cpu: cpuOf(pid), own: process.cpuUsage(), at: performance.now() };
await pause(seconds * 1_000);
const measured = deliveries - before.deliveries;
const elapsed = (performance.now() - before.at) / 1_000;
const own = process.cpuUsage(before.own);
process.stdout.write(
  `${JSON.stringify({
    perSecond: measured / elapsed,
    cpuMicros: (cpuOf(pid) - before.cpu) / measured,
    generatorCores: (own.user + own.system) / 1_000_000 / elapsed,
    refusals,
  })}\n`,
  () => process.exit(0),
);
