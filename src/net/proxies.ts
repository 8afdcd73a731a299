import { BlockList, isIP, isIPv6 } from 'node:net';
import { plainAddress } from './address.ts';

/** Proxies whose word about their clients' addresses is believed: flag --trusted-proxies. */
export class TrustedProxies {
  readonly #list: BlockList | undefined;

  /** Addresses and networks (`10.0.0.0/8`), checked before. */
  constructor(networks: readonly string[]) {
    if (networks.length === 0) return;
    this.#list = new BlockList();
    for (const network of networks) {
      const [address = '', bits] = network.split('/');
      const family = isIPv6(address) ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(bits), family);
    }
  }

  has(address: string): boolean {
    if (this.#list === undefined) return false;
    const plain = plainAddress(address);
    return isIP(plain) !== 0 && this.#list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  }

  /**
   * The client behind `peer`, by X-Forwarded-For: from the right, the first that is no trusted
   * proxy. What stands left of it is only that client's word.
   */
  clientOf(peer: string, header: string | undefined): string {
    if (header === undefined || !this.has(peer)) return peer;
    let client = peer;
    for (const part of header.split(',').toReversed()) {
      const address = plainAddress(part.trim());
      if (isIP(address) === 0) break;
      client = address;
      if (!this.has(address)) break;
    }
    return client;
  }
}
