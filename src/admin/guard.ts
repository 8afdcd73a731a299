import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AdminError } from './errors.ts';

type Guard = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

/** Lets requests with the token pass. Compared by digest, so in the same time whatever the length. */
export function bearerGuard(token: string): Guard {
  const expected = digest(token);
  return async (request, reply) => {
    const given = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return;
    reply.header('www-authenticate', 'Bearer');
    throw new AdminError('unauthorized');
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Without a token only this machine reaches the port, but so does a page in its browser whose name
 * was made to resolve to 127.0.0.1 (DNS rebinding): such a request says that name as its host.
 */
export const localGuard: Guard = async (request) => {
  const name = request.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(name) !== 0 || name === 'localhost') return;
  throw new AdminError('bad_request', 'the host must be an IP address or localhost');
};
