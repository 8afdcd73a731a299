import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from './peer.ts';
import { findProgram, freePort, startProgram, stopProgram } from './programs.ts';

const program = findProgram('mosquitto');

/** Mosquitto without persistence; it drops nothing that waits for a client, as the others do not. */
const settings = (port: number): string =>
  [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence false',
    'max_queued_messages 0',
    'set_tcp_nodelay true',
    'log_type error',
    '',
  ].join('\n');

export const mosquitto: Peer = {
  name: 'mosquitto',
  title: 'Mosquitto',
  protocols: { tcp: 'mqtt' },
  missing: program === undefined ? 'mosquitto is not installed (Debian: mosquitto)' : undefined,
  async start(dir) {
    const port = await freePort();
    const file = join(dir, 'mosquitto.conf');
    writeFileSync(file, settings(port));
    const child = await startProgram(program!, ['-c', file], port);
    return {
      pids: [child.pid!],
      port: () => port,
      makeGroup: async () => {},
      stop: () => stopProgram(child),
    };
  },
};
