/**
 * A server of its own process that can be told to crash a shard: the product has no such hook. The
 * arguments are those of the product; ENCKE_SOAK_FAULT names a fault of faulty-shard.ts.
 */
import { parseOptions } from '../../../src/cli/options.ts';
import { createLogger } from '../../../src/log.ts';
import { startServer } from '../../../src/server.ts';
import type { FromSoakServer, ToSoakServer } from './server-process.ts';

const tell = (message: FromSoakServer): void => void process.send?.(message);
const fault = process.env['ENCKE_SOAK_FAULT'];

const options = parseOptions(process.argv.slice(2), {});
const server = await startServer({
  ...options,
  logger: createLogger(options.logLevel),
  ...(fault !== undefined && { shardEntry: new URL('./faulty-shard.js', import.meta.url) }),
});

process.on('message', ({ crash }: ToSoakServer) => {
  const thread = server.threadOf(crash);
  void Promise.resolve(thread?.terminate()).then(() => tell({ crashed: crash, ran: thread !== undefined }));
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit(1));
server.onFatal((error) => {
  throw error;
});

tell({ tcp: server.tcpAddress, http: server.httpAddress, admin: server.adminAddress });
