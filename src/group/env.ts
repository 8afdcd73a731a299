import type { Append, GroupChange } from '../store/store.ts';
import type { PresenceEvents, ShardEnv } from '../user/env.ts';
import type { Run } from '../wire/run.ts';

/** What webhooks are told of groups. */
export interface GroupEvents {
  /** To be stored with the change; undefined: nothing has changed. */
  groupChanged(group: number, change: GroupChange, created: boolean): Append | undefined;
  /** It was. */
  stored(event: Append): void;
}

/** What a group needs beside what users need: the fan-out on other shards. */
export interface GroupEnv extends ShardEnv {
  readonly webhooks?: (PresenceEvents & GroupEvents) | undefined;
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
