import { isIPv6, type Socket } from 'node:net';

/** Addresses that a trusted proxy told of its clients. */
const forwarded = new WeakMap<Socket, string>();

/** The client's address as logs, limits and authenticators get it. */
export const addressOf = (socket: Socket): string =>
  forwarded.get(socket) ?? plainAddress(socket.remoteAddress ?? 'unknown');

export function setAddress(socket: Socket, address: string): void {
  forwarded.set(socket, address);
}

/** An IPv4 address that came over an IPv6 socket is written as what it is. */
export const plainAddress = (address: string): string =>
  address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;

/**
 * What connections are counted by: an IPv4 address, or the /64 of an IPv6 one, which is the least
 * that a network gives to a customer.
 */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('%', 1)[0]!.split('::');
  const first = head === '' ? [] : head.split(':');
  const groups = 4;
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    while (first.length + last.length < 8) first.push('0');
    first.push(...last);
  }
  const key = first.slice(0, groups).map((group) => Number.parseInt(group, 16).toString(16));
  return `${key.join(':')}::/64`;
}
