import type { IncomingMessage } from 'node:http';
import type { Credentials } from '../auth/auth.ts';
import { Guests, type GuestAdmission } from '../auth/guests.ts';
import { isDevice, parseClientId } from '../wire/user-id.ts';
import type { Gateway, Wish } from './gateway.ts';

/** What an upgrade request to `/messaging` says: docs/protocol.md "Authentication". */
export interface MessagingRequest {
  /** Undefined: a guest that has no name yet. */
  readonly clientId: string | undefined;
  /** `token` of the query, or the bearer token; empty if there is none. */
  readonly token: string;
  readonly wish: Pick<Wish, 'device' | 'ack' | 'notices'>;
}

/** The request, or the HTTP status that refuses it. */
export function readMessagingRequest(request: IncomingMessage, guests: boolean): MessagingRequest | number {
  const query = target(request).searchParams;
  const clientId = clientIdOf(query, guests);
  if (clientId === null) return 401;
  const device = query.get('device_id') ?? '';
  if (device !== '' && !isDevice(device)) return 400;
  const [ack, notices] = [query.get('ack'), query.get('notices')];
  if ((ack ?? '1') !== '1' || (notices ?? '1') !== '1') return 400;
  const bearer = bearerOf(request);
  const token = query.get('token');
  // Two that could differ: which one counts must not be a matter of taste.
  if (bearer === null || (bearer !== undefined && token !== null)) return 400;
  return {
    clientId,
    token: token ?? bearer ?? '',
    wish: { device, ack: ack === '1', notices: notices === '1' },
  };
}

/** Null: refused. A user's id is in its canonical form. */
function clientIdOf(query: URLSearchParams, guests: boolean): string | undefined | null {
  const text = query.get('client_id');
  if (text === null && guests) return undefined;
  const user = parseClientId(text ?? '');
  return user === undefined ? null : String(user);
}

/** Null: there is a header, but no bearer token in it. */
function bearerOf({ headers: { authorization } }: IncomingMessage): string | undefined | null {
  if (authorization === undefined) return undefined;
  return /^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? null;
}

/** A guest, or what the authenticator is to be asked. Undefined: a guest that is none. */
export function guestOrCredentials(
  { clientId, token, wish }: MessagingRequest,
  { options: { guests } }: Gateway,
  remoteAddress: string,
): GuestAdmission | Credentials | undefined {
  if (clientId === undefined) return guests?.invite();
  // With guests on, names of theirs are nobody else's.
  if (guests !== undefined && Guests.isGuest(clientId)) return guests.readmit(clientId, token);
  return {
    protocol: 'messaging',
    clientId,
    device: wish.device ?? '',
    remoteAddress,
    ...(token !== '' && { token }),
  };
}

export function target(request: IncomingMessage): URL {
  // The host is the client's word and plays no part; a target that is no path matches nothing.
  return URL.canParse(request.url ?? '', 'http://encke')
    ? new URL(request.url ?? '', 'http://encke')
    : nowhere;
}

const nowhere = new URL('http://encke/.');
