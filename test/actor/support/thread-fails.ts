import { isMainThread } from 'node:worker_threads';
import type { Setup } from '../../../src/actor/index.ts';

export function setup(): Setup {
  if (!isMainThread) throw new Error('not on a thread');
  return {};
}
