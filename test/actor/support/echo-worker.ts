import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { ActorSystem } from '../../../src/actor/index.ts';
import { Echo } from './echo.ts';

/** A node of its own: ids below 1,000 are hosted on node 1, the others here, on node 2. */
const system = new ActorSystem({
  node: 2,
  kinds: [Echo],
  place: (_kind, id) => (Number(id) < 1_000 ? 1 : 2),
});
system.connect(1, (workerData as { port: MessagePort }).port);
parentPort?.on('message', () => process.exit(1)); // dies without a word
