import type { Opening } from '../../src/net/lane.ts';
import { Session, type SessionHost } from '../../src/user/session.ts';

/** A shard as far as a session sees it. */
export class FakeShard implements SessionHost {
  acknowledgedSlab = 0;
  readonly touched: Session[] = [];
  onTouch: ((session: Session) => void) | undefined;

  touch(session: Session): void {
    this.touched.push(session);
    this.onTouch?.(session);
  }
}

export function sessionOf(host: SessionHost, connection: number, opening: Partial<Opening> = {}): Session {
  const whole: Opening = {
    user: 21,
    device: null,
    encoding: 'binary',
    webSocket: false,
    ack: false,
    notices: false,
    version: 1,
    seq: 0,
    address: '127.0.0.1',
    connectedAt: 0,
    ...opening,
  };
  return new Session(connection, whole, host, 0);
}
