/** The entry of an actor thread: builds its system, says ready, then does what the main thread says. */
import { parentPort, workerData } from 'node:worker_threads';
import { internalsOf } from './internals.ts';
import { importKinds, importSetup, placeOnThreads } from './modules.ts';
import { ActorSystem } from './system.ts';
import type { FromThread, ThreadData, ToThread } from './thread-messages.ts';

const { node, threads, kinds, setup, data, limits } = workerData as ThreadData;
const { place, ...options } = await importSetup(setup, { node, threads, data });
const system = new ActorSystem({
  ...limits,
  ...options,
  node,
  kinds: await importKinds(kinds),
  place: placeOnThreads(threads, place),
});
const { links } = internalsOf(system);

const say = (message: FromThread): void => parentPort?.postMessage(message);

parentPort?.on('message', (message: ToThread) => {
  switch (message.type) {
    case 'connect':
      system.connect(message.node, message.port);
      break;
    case 'lost':
      links.lost(message.node);
      break;
    case 'count':
      say({ type: 'sent', counts: links.sent() });
      system.flush();
      break;
    case 'stop':
      void end(message);
      break;
  }
});
say({ type: 'ready' });

async function end({ expect, timeoutMs }: Extract<ToThread, { type: 'stop' }>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeoutMs)));
  await Promise.race([links.received(expect), late]);
  clearTimeout(timer);
  say({ type: 'stopped', complete: await system.stop({ timeoutMs }) });
  parentPort?.close();
}
