/**
 * A shard with a fault, to see that a soak run finds it: what ENCKE_SOAK_FAULT names is broken before
 * the shard runs.
 */
import type { ShardTask } from '../../../src/shard/control.ts';
import { Shard } from '../../../src/shard/shard.ts';
import { DiskEngine } from '../../../src/store/disk/disk-engine.ts';
import { MemoryEngine } from '../../../src/store/memory-engine.ts';
import type { StoreEngine } from '../../../src/store/engine.ts';
import type { Append, Store } from '../../../src/store/store.ts';
import { Delivery } from '../../../src/user/delivery.ts';
import { Session } from '../../../src/user/session.ts';

const storeDelayMs = 100;

type Appends = (batch: readonly Append[]) => ReturnType<Store['append']>;

function answerEarly(engine: { append: Appends }): void {
  const append = Reflect.get(engine, 'append') as Appends;
  engine.append = function (batch) {
    setTimeout(() => {
      Promise.resolve(Reflect.apply(append, this, [batch])).catch(() => {}); // nobody waits for it
    }, storeDelayMs);
    return batch.map(() => ({ ok: true as const }));
  };
}

type SaveUser = StoreEngine['saveUser'];

/** The store says at once that it has a user's cursors and marks, and has them later. */
function saveLate(engine: { saveUser: SaveUser }): void {
  const saveUser = Reflect.get(engine, 'saveUser') as SaveUser;
  engine.saveUser = function (...args) {
    setTimeout(() => {
      Promise.resolve(Reflect.apply(saveUser, this, args)).catch(() => {}); // nobody waits for it
    }, storeDelayMs);
  };
}

const faults: Readonly<Record<string, () => void>> = {
  /** Replies and deliveries go out before the store has the messages. */
  'early-replies': () => {
    answerEarly(MemoryEngine.prototype);
    answerEarly(DiskEngine.prototype);
  },
  /** What was written counts as delivered before the kernel took it. */
  'early-cursors': () => {
    Delivery.prototype.confirm = function (): void {
      this.taken = this.sent;
    };
  },
  /** Op 22 is answered before the store has the cursor. */
  'early-acks': () => {
    saveLate(MemoryEngine.prototype);
    saveLate(DiskEngine.prototype);
  },
  /** What a device that acknowledges was sent counts as delivered, whatever it says. */
  'deaf-acks': () => {
    const end = Reflect.get(Session.prototype, 'end') as (taken: number) => void;
    Session.prototype.end = function (taken): void {
      Reflect.set(this, 'acknowledges', false);
      Reflect.apply(end, this, [taken]);
    };
  },
};

faults[process.env['ENCKE_SOAK_FAULT'] ?? '']?.();

const run = (task: ShardTask): Promise<void> => new Shard(task).run();
export { run as default };
