import { randomUUID } from 'node:crypto';
import type { Admission, Credentials } from '../auth/auth.ts';
import { closes, EnckeError, type CloseReason } from '../errors.ts';
import { limits } from '../limits.ts';
import { parseAuth, parseAuthBytes, type AuthBody } from '../wire/auth-body.ts';
import { errorReplyBody, errorReplyText, heartbeatReplyText, parseRequest } from '../wire/comet-json.ts';
import { frameWithText, HEADER_BYTES, writeHeader } from '../wire/frame.ts';
import { Op } from '../wire/op.ts';
import { isMid } from '../wire/user-id.ts';
import { Pause, type Connection } from './connection.ts';
import type { Gateway, Wish } from './gateway.ts';

interface Early {
  readonly type: number;
  readonly bytes: Buffer;
}

/**
 * A comet connection until its first op 7 is decided (docs/protocol.md "Authentication"): answers
 * heartbeats, asks the authenticator, hands the connection over with whatever came behind op 7.
 */
export abstract class CometHandshake {
  readonly gateway: Gateway;
  readonly connection: Connection;
  onDone: (() => void) | undefined;
  readonly #webSocket: boolean;
  readonly #timer: NodeJS.Timeout;
  #early: Early[] = [];
  #decided = false;
  #ended = false;
  #json = false;
  #heartbeats = 0;

  constructor(gateway: Gateway, connection: Connection, webSocket: boolean) {
    this.gateway = gateway;
    this.connection = connection;
    this.#webSocket = webSocket;
    this.#timer = setTimeout(() => {
      this.refuse({ ...closes.notAuthenticated, reason: 'no op 7 in time' });
    }, gateway.options.authTimeoutMs);
  }

  /** Op 7 has come: what follows is kept for the session. */
  get isDecided(): boolean {
    return this.#decided;
  }

  /** A frame of the binary encoding; false once op 7 was read. */
  onFrame(op: number, version: number, seq: number, buf: Buffer, start: number, end: number): boolean {
    if (this.connection.ending) return false;
    this.#json = false;
    if (op === Op.heartbeat) this.#answerHeartbeat(version, seq);
    else if (op === Op.auth) this.#begin(version, seq, parseAuthBytes(buf, start, end));
    else this.#refuseOperation(op);
    return op === Op.heartbeat && !this.connection.ending;
  }

  /** A text message of the JSON encoding. */
  onText(text: string): void {
    this.#json = true;
    const request = parseRequest(text);
    if ('close' in request) return this.refuse(request.close);
    if (request.op === Op.heartbeat) this.#answerHeartbeat(request.version, request.seq);
    else if (request.op === Op.auth) this.#begin(request.version, request.seq, parseAuth(request.body));
    else this.#refuseOperation(request.op);
  }

  keep(type: number, bytes: Buffer): void {
    this.#early.push({ type, bytes });
  }

  /** The client sends no more. What is being decided is still answered. */
  ended(): void {
    this.#ended = true;
    if (!this.#decided) this.refuse({ code: 0, reason: '' });
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.onDone?.();
  }

  refuse(close: Pick<CloseReason, 'code' | 'reason'>): void {
    this.#decided = true;
    this.connection.end(close);
    this.cancel();
  }

  protected abstract handOver(type: number, rest: Buffer): void;

  #refuseOperation(op: number): void {
    this.refuse({ ...closes.notAuthenticated, reason: `op 7 must come first, not op ${op}` });
  }

  #answerHeartbeat(version: number, seq: number): void {
    this.#heartbeats += 1;
    if (this.#heartbeats > limits.handshakeHeartbeatsMax)
      return this.refuse({ ...closes.tooFast, reason: 'too many heartbeats before op 7' });
    if (!isSupported(version)) {
      this.#answer(Op.heartbeatReply, version, seq, this.#json, new EnckeError('unsupported_version'));
      return;
    }
    if (this.#json) {
      this.connection.say(Buffer.from(heartbeatReplyText(version, seq)), true);
      return;
    }
    const frame = Buffer.alloc(HEADER_BYTES);
    writeHeader(frame, 0, HEADER_BYTES, version, Op.heartbeatReply, seq);
    this.connection.say(frame, false);
  }

  #begin(version: number, seq: number, request: AuthBody | EnckeError): void {
    this.#decided = true;
    this.connection.pause(Pause.authentication);
    const json = this.#json;
    this.#decide(version, seq, request, json).catch((error: unknown) => {
      this.gateway.options.logger.error({ err: error }, 'handshake failed');
      this.refuse(closes.internal);
    });
  }

  async #decide(version: number, seq: number, request: AuthBody | EnckeError, json: boolean): Promise<void> {
    // goim's clients may say any version, and get it back.
    const isGoim = !(request instanceof EnckeError) && request.goim !== undefined;
    const checked = isGoim || isSupported(version) ? request : new EnckeError('unsupported_version');
    if (checked instanceof EnckeError) {
      this.#answer(Op.authReply, version, seq, json, checked);
      return this.refuse({ ...closes.badRequest, reason: checked.message });
    }
    const { device, ack, notices, goim } = checked;
    this.connection.saysWhy = !isGoim;
    const result = await this.gateway.authenticate(credentialsOf(checked, this.connection.address));
    if (this.connection.ending || this.connection.socket.destroyed) return;
    if (!result.ok) {
      // goim's clients take any op 8 for a success.
      if (!isGoim) this.#answer(Op.authReply, version, seq, json, new EnckeError(result.error));
      const close = result.error === 'banned' ? closes.forbidden : closes.notAuthenticated;
      return this.refuse({ ...close, reason: result.reason });
    }
    if (typeof result.user !== 'number' && !isGoim) {
      // An authenticator of an embedder may name anybody; comet has room for mids only.
      this.#answer(Op.authReply, version, seq, json, new EnckeError('not_authenticated'));
      return this.refuse({ ...closes.notAuthenticated, reason: 'comet is for users with a number' });
    }
    this.#open(version, seq, json, result, { device: device ?? null, ack, notices, ...(goim && { goim }) });
  }

  #open(
    version: number,
    seq: number,
    json: boolean,
    admission: Admission,
    wish: Pick<Wish, 'device' | 'ack' | 'notices' | 'goim'>,
  ): void {
    const encoding = json ? 'json' : 'binary';
    const opened = this.gateway.open(this.connection, admission, {
      ...wish,
      encoding,
      webSocket: this.#webSocket,
      version,
      seq,
    });
    this.cancel();
    if (!opened) return;
    // Op 8 is the shard's to send: it is followed by what the user was not sent while away.
    for (const { type, bytes } of this.#early) this.handOver(type, bytes);
    this.#early = [];
    this.connection.resume(Pause.authentication);
    if (this.#ended) this.gateway.ended(this.connection);
  }

  #answer(op: number, version: number, seq: number, json: boolean, error: EnckeError): void {
    if (json) this.connection.say(Buffer.from(errorReplyText(op, version, seq, error.code)), true);
    else this.connection.say(frameWithText(op, version, seq, errorReplyBody(op, error.code)), false);
  }
}

/** A goim client without a mid, or with one that comet has no room for, is a string client. */
function credentialsOf({ mid, mkey, device, goim }: AuthBody, remoteAddress: string): Credentials {
  const more = { remoteAddress, ...(device === undefined ? {} : { device }) };
  if (goim === undefined || isMid(mid)) return { protocol: 'comet', mid, mkey, ...more };
  const clientId = mid === 0 ? `goim:${randomUUID()}` : String(mid);
  return { protocol: 'messaging', clientId, token: mkey, ...more };
}

/** docs/protocol.md "Frame": versions 0 and 1 are one and the same. */
const isSupported = (version: number): boolean => version === 0 || version === 1;
