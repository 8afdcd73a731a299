import pino from 'pino';
import type { Logger } from 'pino';

export type { Logger };

/** Lines that wait while nobody reads standard error. Full: new lines are dropped. */
const logBytesMax = 4_194_304;

/**
 * Logs go to standard error. Asynchronous, so that a stuck reader cannot stop the event loop; what
 * is left is written when the process exits (pino registers that itself for this destination).
 */
export function createLogger(level: string): Logger {
  return pino({ level }, pino.destination({ dest: 2, sync: false, maxLength: logBytesMax }));
}
