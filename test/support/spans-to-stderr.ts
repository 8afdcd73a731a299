import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { registerProvider } from './spans.ts';

/** For `node --import`: a line on standard error for each span of any thread. */
registerProvider(({ name, attributes }) => {
  writeSync(2, `span ${isMainThread ? 'main' : 'thread'} ${name} ${JSON.stringify(attributes)}\n`);
});
