import { fileURLToPath } from 'node:url';
import type { Peer } from './peer.ts';
import { freePort, startProgram, stopProgram } from './programs.ts';

const script = fileURLToPath(new URL('socket-io-server.js', import.meta.url));

function isInstalled(): boolean {
  try {
    import.meta.resolve('socket.io');
    return true;
  } catch {
    return false;
  }
}

/** A Socket.IO server of one process: users and the group are rooms. */
export const socketIo: Peer = {
  name: 'socket.io',
  title: 'Socket.IO',
  protocols: { ws: 'socket-io' },
  missing: isInstalled() ? undefined : 'the package socket.io is not installed',
  async start() {
    const port = await freePort();
    const child = await startProgram(process.execPath, [script, String(port)], port);
    return {
      pids: [child.pid!],
      port: () => port,
      makeGroup: async () => {},
      stop: () => stopProgram(child),
    };
  },
};
