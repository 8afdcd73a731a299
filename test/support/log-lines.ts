import pino from 'pino';
import type { Logger } from '../../src/log.ts';

/** A logger, and what was logged so far. */
export function logLines(): { logger: Logger; logged: () => string } {
  let text = '';
  const logger = pino({ level: 'trace' }, { write: (line: string) => void (text += line) });
  return { logger, logged: () => text };
}
