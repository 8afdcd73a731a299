import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { FrameDecoder } from '../wire/frame-decoder.ts';
import { TcpConnection } from './connection.ts';
import { DeferredTcpConnection } from './deferred-connection.ts';
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

/** What the comet TCP ports do with a socket: docs/protocol.md "Transports". */
export function acceptTcp(gateway: Gateway): (socket: Socket) => void {
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

  return (socket) => {
    const Kind = socket instanceof TLSSocket ? DeferredTcpConnection : TcpConnection;
    const connection = new Kind(gateway.nextId(), socket, gateway);
    const state: TcpState = { connection, handshake: undefined };
    states.set(socket, state);
    socket.on('data', onData).on('end', onEnd).on('drain', onDrain).on('close', onClose);
    gateway.add(connection);
    if (connection.ending) return;
    const handshake = new TcpHandshake(gateway, connection);
    handshake.onDone = () => {
      state.handshake = undefined;
    };
    state.handshake = handshake;
  };
}
