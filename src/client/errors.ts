/** Why a connection ended: WebSocket close code, or op 6 on TCP. 1006: it said nothing. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
  /** A server that stops says when to come back: after so many milliseconds. */
  readonly retryMs?: number;
}

/** What a WebSocket close frame says. */
export function closedWith(code: number, reason: string): Closed {
  const retryMs = /; retryMs=(\d+)$/.exec(reason)?.[1];
  return { code, reason, ...(retryMs !== undefined && { retryMs: Number(retryMs) }) };
}

/** The server answered a request with ret -1. A binary op 19, 21, 23 or 25 has no code: `refused`. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  readonly code: string;
  constructor(code: string) {
    super(`the server refused the request: ${code}`);
    this.code = code;
  }
}

/** The connection ended before what was waited for. */
export class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed';
  readonly closed: Closed;
  constructor(closed: Closed) {
    super(`the connection ended: ${closed.code} ${closed.reason}`.trimEnd());
    this.closed = closed;
  }
}

/** The HTTP port answered an upgrade with a status of its own, e.g. 401. */
export class UpgradeRefused extends Error {
  override readonly name = 'UpgradeRefused';
  readonly status: number;
  constructor(status: number) {
    super(`the server answered ${status} instead of upgrading to a WebSocket`);
    this.status = status;
  }
}

export class WaitTimeout extends Error {
  override readonly name = 'WaitTimeout';
  constructor(what: string, afterMs: number) {
    super(`no ${what} within ${afterMs} ms`);
  }
}
