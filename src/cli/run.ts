import { createLogger } from '../log.ts';
import { CertificateError, startServer } from '../server.ts';
import type { Server } from '../server.ts';
import { parseOptions } from './options.ts';
import type { Options } from './options.ts';
import { readyLine, startFailure } from './lines.ts';
import { StopSignals } from './stop-signals.ts';
import { runTool, tools } from './tools.ts';
import { TextRequest, UsageError } from './usage-error.ts';

/** Exit codes: 0 stopped as asked, 1 failed, 2 not what the operator meant. */

/** Runs a command, or the server with these arguments (without node and the script) until it is told to stop. */
export async function run(argv: readonly string[]): Promise<void> {
  // Whoever read the ready line may be gone; that is no reason to stop serving.
  process.stdout.on('error', () => {});
  const tool = tools.get(argv[0] ?? '');
  if (tool !== undefined) return runTool(tool, argv.slice(1));
  const options = readOptions(argv);
  if (options === undefined) return;
  const signals = new StopSignals();
  const logger = createLogger(options.logLevel);
  let server: Server;
  try {
    server = await startServer({ ...options, logger });
  } catch (error) {
    process.stderr.write(`encke: ${startFailure(error)}\n`);
    process.exit(error instanceof CertificateError ? 2 : 1);
  }
  // Without anything to reload it ends the process, as the hang-up of a terminal does.
  if (options.tlsCert !== undefined) process.on('SIGHUP', () => server.reload());
  server.onFatal((error) => {
    logger.fatal({ err: error }, 'the server cannot go on');
    process.exit(1);
  });
  process.stdout.write(`${readyLine(server)}\n`);
  const signal = await signals.first;
  logger.info({ signal }, 'draining');
  try {
    await server.drain();
  } catch (error) {
    logger.error({ err: error }, 'drain failed');
    process.exit(1);
  }
  process.exit(0);
}

/** Undefined when there is nothing to run: a text was asked for, or the options are wrong. */
function readOptions(argv: readonly string[]): Options | undefined {
  try {
    return parseOptions(argv, process.env);
  } catch (error) {
    if (error instanceof TextRequest) {
      process.stdout.write(error.text);
    } else if (error instanceof UsageError) {
      process.stderr.write(`encke: ${error.message}\n`);
      process.exitCode = 2;
    } else {
      throw error;
    }
    return undefined;
  }
}
