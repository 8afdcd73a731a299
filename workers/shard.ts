import type { ShardTask } from '../src/shard/control.ts';
import { Shard } from '../src/shard/shard.ts';

/** The entry of a shard's thread: one endless task of the pool, which ends when told to stop. */
export default (task: ShardTask): Promise<void> => new Shard(task).run();
