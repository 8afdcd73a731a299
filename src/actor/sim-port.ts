import * as frames from './frames.ts';
import { Op } from './frames.ts';
import type { LinkPort } from './link.ts';
import type { SimNetwork } from './sim-network.ts';

/**
 * One end of a simulated channel. What is posted is real bytes; it arrives in order, when the network
 * says so, and without the frames that the network loses.
 */
export class SimPort implements LinkPort {
  other!: SimPort;
  readonly label: string;
  readonly #network: SimNetwork;
  readonly #arriving: ArrayBuffer[] = [];
  #lastDueMs = 0;
  #onMessage: ((value: ArrayBuffer) => void) | undefined;
  #onClose: (() => void) | undefined;
  #open = true;

  constructor(network: SimNetwork, label: string) {
    this.#network = network;
    this.label = label;
  }

  postMessage(value: ArrayBuffer): void {
    const { other } = this;
    if (!this.#open || !other.#open) return;
    other.#arriving.push(this.#network.lossy ? loseFrames(value, this.#network) : value);
    this.#lastDueMs = Math.max(this.#lastDueMs, this.#network.arrivalMs());
    this.#network.at(this.#lastDueMs, () => other.#arrive());
  }

  on(event: 'message' | 'close', listener: ((value: ArrayBuffer) => void) | (() => void)): void {
    if (event === 'message') this.#onMessage = listener;
    else this.#onClose = listener as () => void;
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    const { other } = this;
    this.#network.at(Math.max(this.#lastDueMs, this.#network.arrivalMs()), () => other.#closed());
  }

  /** Its node died: nothing comes any more, and what is on its way from it may be lost too. */
  break(losesAll: boolean): void {
    if (losesAll) this.other.#arriving.length = 0;
    this.close();
  }

  #arrive(): void {
    const value = this.#arriving.shift();
    if (value !== undefined && this.#open) this.#onMessage?.(value);
  }

  #closed(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#onClose?.();
  }
}

/** Replaces frames that are lost: the counts of the two sides have to go on being equal. */
function loseFrames(bytes: ArrayBuffer, network: SimNetwork): ArrayBuffer {
  const batch = frames.decodeBatch(bytes);
  for (let at = frames.headerSlots; at < batch.length; at += frames.frameSlots) {
    // Watches and their notices are the runtime's own promise: they are lost with their link only.
    if (frames.frameOp(batch[at] as number) > Op.refused || !network.loses()) continue;
    batch.fill(null, at, at + frames.frameSlots);
    batch[at] = Op.failed;
    batch[at + 3] = 0;
  }
  return frames.encodeBatch(batch);
}
