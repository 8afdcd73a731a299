import { join } from 'node:path';
import { putGroup } from '../../../test/support/admin.ts';
import { spawnServer } from '../../../test/support/server.ts';
import { GROUP } from '../codecs/codec.ts';
import type { Peer } from './peer.ts';
import { endWithUs } from './programs.ts';

/** Encke with these flags; a repeated flag's last value counts. */
export function encke(name: string, title: string, ...args: readonly string[]): Peer {
  return {
    name,
    title,
    protocols: { tcp: 'comet', ws: 'comet-json' },
    missing: undefined,
    async start(dir) {
      const server = await spawnServer(['--log-level', 'error', '--data', join(dir, name), ...args]);
      endWithUs(server.child);
      return {
        pids: [server.pid],
        port: (transport) => (transport === 'tcp' ? server.tcpAddress : server.httpAddress).port,
        makeGroup: (members) =>
          putGroup(
            server,
            GROUP,
            Array.from({ length: members }, (_, i) => i + 1),
          ),
        // What it still has to say to the disk is of no interest.
        stop: async () => void (await server.stop('SIGKILL')),
      };
    },
  };
}
