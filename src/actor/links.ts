import type { Host } from './host.ts';
import { Link, type LinkPort, type PeerListener } from './link.ts';
import type { LinkLimits } from './outbox.ts';
import type { Runtime } from './runtime.ts';

/** Frames by node: how many were sent there, or have to come from there. */
export type FrameCounts = readonly (readonly [node: number, frames: number])[];

/** The links of one node, made when they are first needed. */
export class Links {
  readonly #byNode = new Map<number, Link>();
  readonly #runtime: Runtime;
  readonly #hosts: ReadonlyMap<string, Host>;
  readonly #limits: LinkLimits;
  readonly #onPeer: PeerListener | undefined;
  /** Those who wait until frames have come. */
  #waits: (() => boolean)[] = [];

  constructor(
    runtime: Runtime,
    hosts: ReadonlyMap<string, Host>,
    limits: LinkLimits,
    onPeer: PeerListener | undefined,
  ) {
    this.#runtime = runtime;
    this.#hosts = hosts;
    this.#limits = limits;
    this.#onPeer = onPeer;
  }

  to(node: number): Link {
    let link = this.#byNode.get(node);
    if (link === undefined) {
      if (node === this.#runtime.node) throw new RangeError(`node ${node} is this node`);
      link = new Link(node, this.#runtime, this.#hosts, this.#limits, this.#onPeer);
      link.onReceived = () => this.#check();
      this.#byNode.set(node, link);
    }
    return link;
  }

  connect(node: number, port: LinkPort): void {
    this.to(node).connect(port);
  }

  disconnect(node: number): void {
    this.#byNode.get(node)?.disconnect();
  }

  /** As disconnect, but what waits for a node that is known to be lost already goes on waiting. */
  lost(node: number): void {
    const link = this.#byNode.get(node);
    if (link?.connected === true) link.disconnect();
  }

  disconnectAll(reason: 'stopped'): void {
    for (const link of this.#byNode.values()) link.disconnect(reason);
  }

  flush(): void {
    for (const link of this.#byNode.values()) link.flush();
  }

  /** What waits for all other nodes together. */
  queued(): { readonly frames: number; readonly bytes: number } {
    let frames = 0;
    let bytes = 0;
    for (const { queued } of this.#byNode.values()) {
      frames += queued.frames;
      bytes += queued.bytes;
    }
    return { frames, bytes };
  }

  /** Frames that each connected node will have got from here once all that waits has left. */
  sent(): FrameCounts {
    return [...this.#byNode].flatMap(([node, link]) => (link.connected ? [[node, link.sent]] : []));
  }

  /** Resolves when so many frames have come from each node, as far as it is connected. */
  received(counts: FrameCounts): Promise<void> {
    const have = (): boolean =>
      counts.every(([node, frames]) => {
        const link = this.#byNode.get(node);
        return link === undefined || !link.connected || link.received >= frames;
      });
    if (have()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waits.push(() => {
        if (!have()) return false;
        resolve();
        return true;
      });
    });
  }

  #check(): void {
    if (this.#waits.length > 0) this.#waits = this.#waits.filter((done) => !done());
  }
}
