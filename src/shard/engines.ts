import type { Logger } from 'pino';
import { limits } from '../limits.ts';
import { DiskEngine } from '../store/disk/disk-engine.ts';
import { openDatabase, Tables } from '../store/disk/tables.ts';
import type { StoreEngine } from '../store/engine.ts';
import { MemoryEngine } from '../store/memory-engine.ts';
import type { Segment } from '../store/memory-journal.ts';
import type { DiskTask, FromShardControl, MemoryTask, ShardTask } from './control.ts';

/** The store of a shard, as its task says. */
export function openEngine(
  task: ShardTask,
  logger: Logger,
  tellMain: (message: FromShardControl) => void,
): StoreEngine {
  return task.store.type === 'disk'
    ? openDisk(task, task.store, logger)
    : openMemory(task.shards, task.store, tellMain);
}

function openDisk({ shard, shards }: ShardTask, store: DiskTask, logger: Logger): StoreEngine {
  const { dir, fsync, sequence, port } = store;
  return new DiskEngine(shards, {
    dir,
    fsync,
    shard,
    sequence,
    tables: new Tables(openDatabase(dir)),
    storeThread: port,
    onHealth: (error) => {
      if (error === undefined) logger.info('the store takes messages again');
      else logger.error({ err: error }, 'the store takes no messages: they are refused until it does');
    },
  });
}

function openMemory(
  shards: number,
  store: MemoryTask,
  tellMain: (message: FromShardControl) => void,
): StoreEngine {
  const bytesMax = Math.floor(store.bytesMax / shards);
  // Segments are given up whole: a small store needs small ones.
  const segmentBytes = Math.min(
    limits.memorySegmentBytes,
    Math.max(limits.memorySegmentBytesMin, Math.floor(bytesMax / 8)),
  );
  const keeper = {
    keep: (segment: Segment) => tellMain({ type: 'keep', segment }),
    drop: (number: number) => tellMain({ type: 'drop', number }),
  };
  return new MemoryEngine(keeper, segmentBytes, bytesMax, store.segments);
}
