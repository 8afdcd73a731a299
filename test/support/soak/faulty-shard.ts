/**
 * A shard with a fault, to see that a soak run finds it: what ENCKE_SOAK_FAULT names is broken before
 * the shard runs.
 */
import type { ShardTask } from '../../../src/shard/control.ts';
import { Shard } from '../../../src/shard/shard.ts';
import { MemoryEngine } from '../../../src/store/memory-engine.ts';
import type { Append } from '../../../src/store/store.ts';
import { Delivery } from '../../../src/user/delivery.ts';

const storeDelayMs = 100;

const faults: Readonly<Record<string, () => void>> = {
  /** Replies and deliveries go out before the store has the messages. */
  'early-replies': () => {
    const append = Reflect.get(MemoryEngine.prototype, 'append') as (batch: readonly Append[]) => unknown;
    MemoryEngine.prototype.append = function (batch: readonly Append[]) {
      setTimeout(() => Reflect.apply(append, this, [batch]), storeDelayMs);
      return batch.map(() => ({ ok: true as const }));
    };
  },
  /** What was written counts as delivered before the kernel took it. */
  'early-cursors': () => {
    Delivery.prototype.confirm = function (): void {
      this.taken = this.sent;
    };
  },
};

faults[process.env['ENCKE_SOAK_FAULT'] ?? '']?.();

const run = (task: ShardTask): Promise<void> => new Shard(task).run();
export { run as default };
