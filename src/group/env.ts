import type { ShardEnv } from '../user/env.ts';
import type { Run } from '../wire/run.ts';

/** What a group needs beside what users need: the fan-out on other shards. */
export interface GroupEnv extends ShardEnv {
  /** Tells a shard where a group that it watches stands. */
  watching(shard: number, group: number, head: number): void;
  fanOut(
    shard: number,
    message: {
      readonly group: number;
      readonly run: Run;
      readonly shard: number;
      readonly connection: number;
    },
  ): void;
}
