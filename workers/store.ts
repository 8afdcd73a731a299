import { parentPort, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { serveStore, type StoreTask } from '../src/store/disk/store-thread.ts';

/** The entry of the store's thread: it moves journals into tables until it is told to stop. */
serveStore(workerData as StoreTask, parentPort as MessagePort);
