import type { Peer } from './peer.ts';
import { findProgram, freePort, startProgram, stopProgram } from './programs.ts';

const program = findProgram('nats-server');

/** NATS as it comes: at most once, nothing stored. */
export const nats: Peer = {
  name: 'nats',
  title: 'NATS',
  protocols: { tcp: 'nats' },
  missing: program === undefined ? 'nats-server is not installed (Debian: nats-server)' : undefined,
  async start() {
    const port = await freePort();
    const child = await startProgram(program!, ['-a', '127.0.0.1', '-p', String(port)], port);
    return {
      pids: [child.pid!],
      port: () => port,
      makeGroup: async () => {},
      stop: () => stopProgram(child),
    };
  },
};
