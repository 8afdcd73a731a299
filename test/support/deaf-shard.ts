import type { ShardTask, ToShardControl } from '../../src/shard/control.ts';
import { Shard } from '../../src/shard/shard.ts';

/** Shard 1 never answers a scrape, as one whose thread is stuck. */
function run(task: ShardTask): Promise<void> {
  const { control } = task;
  if (task.shard === 1) {
    const listen = control.on.bind(control);
    control.on = ((event: 'message', listener: (message: ToShardControl) => void) =>
      listen(event, (message: ToShardControl) => {
        if (message.type !== 'figures') listener(message);
      })) as typeof control.on;
  }
  return new Shard(task).run();
}

export { run as default };
