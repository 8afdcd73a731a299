import { createServer, type Server, type Socket } from 'node:net';
import { FrameDecoder } from '../wire/frame-decoder.ts';
import { TcpConnection } from './connection.ts';
import { CometHandshake } from './handshake.ts';
import type { Gateway } from './gateway.ts';
import { ToShard } from './lane.ts';

/** A TCP socket until its first op 7 is accepted; dropped afterwards. */
class TcpHandshake extends CometHandshake {
  readonly #decoder: FrameDecoder;

  constructor(gateway: Gateway, connection: TcpConnection) {
    super(gateway, connection, false);
    this.#decoder = new FrameDecoder(gateway.options.packageBytesMax);
  }

  feed(chunk: Buffer): void {
    if (this.isDecided) return this.keep(ToShard.bytes, chunk);
    const at = this.#decoder.decode(chunk, 0, chunk.length, this);
    // What came behind op 7 in this chunk belongs to the session: docs/protocol.md "Order".
    if (at < chunk.length && this.isDecided) this.keep(ToShard.bytes, chunk.subarray(at));
    if (this.#decoder.failure !== undefined) this.refuse(this.#decoder.failure.close);
  }

  protected handOver(type: number, rest: Buffer): void {
    this.gateway.input(this.connection, type, rest);
  }
}

interface TcpState {
  readonly connection: TcpConnection;
  handshake: TcpHandshake | undefined;
}

/** Sockets share their listeners: an idle connection is one state object, no closures. */
const states = new WeakMap<Socket, TcpState>();

/** The comet TCP port: docs/protocol.md "Transports". */
export function createTcpServer(gateway: Gateway): Server {
  function onData(this: Socket, chunk: Buffer): void {
    const state = states.get(this);
    if (state === undefined || state.connection.ending) return;
    if (state.handshake === undefined) gateway.input(state.connection, ToShard.bytes, chunk);
    else state.handshake.feed(chunk);
  }

  function onEnd(this: Socket): void {
    const state = states.get(this);
    if (state === undefined || state.connection.ending) return;
    if (state.handshake === undefined) gateway.ended(state.connection);
    else state.handshake.ended();
  }

  function onDrain(this: Socket): void {
    states.get(this)?.connection.onDrain();
  }

  function onClose(this: Socket): void {
    const state = states.get(this);
    if (state === undefined) return;
    state.handshake?.cancel();
    gateway.remove(state.connection);
  }

  const server = createServer(
    // A mark of 1 makes `drain` mean that the kernel took everything. Half-open, so that a client
    // that ends its side still gets its replies.
    { noDelay: true, allowHalfOpen: true, highWaterMark: 1 },
    (socket) => {
      const connection = new TcpConnection(gateway.nextId(), socket, gateway);
      const state: TcpState = { connection, handshake: undefined };
      states.set(socket, state);
      socket.on('data', onData).on('end', onEnd).on('drain', onDrain).on('close', onClose);
      socket.on('error', ignoreError); // 'close' follows; a reset by the peer is no event to log
      gateway.add(connection);
      if (connection.ending) return;
      const handshake = new TcpHandshake(gateway, connection);
      handshake.onDone = () => {
        state.handshake = undefined;
      };
      state.handshake = handshake;
    },
  );
  return server;
}

function ignoreError(): void {}
