import type { TestContext } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { Lane, ToGateway } from '../../src/net/lane.ts';
import { SlabReader } from '../../src/net/slab.ts';

/** A record as the gateway would carry it out. */
export interface Output {
  readonly type: keyof typeof ToGateway;
  /** The connections that it is for. */
  readonly to: readonly number[];
  /** Of a write 1 or 0, of a close its code. */
  readonly argument: number;
  readonly bytes: Buffer;
}

const WINDOW = 1_048_576;
const names = Object.fromEntries(Object.entries(ToGateway).map(([name, type]) => [type, name]));

/** The shard's end of a lane, whose slabs the test takes out before they are posted. */
export class OutLane {
  readonly lane: Lane;
  #slabs = 0;

  constructor(t: TestContext) {
    const { port1, port2 } = new MessageChannel();
    this.lane = new Lane(port1, WINDOW, () => true);
    t.after(() => {
      this.lane.close();
      port2.close();
    });
  }

  /** Fills the window with something else. */
  fill(): void {
    this.lane.out.begin(ToGateway.credit, 0, 0, WINDOW);
  }

  /** All records since the last time. */
  take(): Output[] {
    const reader = new SlabReader(this.lane.out.take((this.#slabs += 1), 0));
    const outputs: Output[] = [];
    while (reader.next()) {
      const { buf, start, end, argument } = reader;
      const type = names[reader.type] as Output['type'];
      const isMulticast = type.startsWith('multicast');
      const ids = isMulticast ? argument : 0;
      const to = Array.from({ length: ids }, (_, i) => buf.readInt32LE(start + i * 4));
      outputs.push({
        type,
        to: isMulticast ? to : [reader.connection],
        argument: isMulticast ? 0 : argument,
        bytes: buf.subarray(start + ids * 4, end),
      });
    }
    return outputs;
  }
}
