import type { UserId } from './user-id.ts';

/**
 * The shard that owns a user or a group: a pure function of the id, so that the gateway and every
 * shard agree without asking. Any number of shards works on any data.
 */
export function shardOf(id: UserId, shards: number): number {
  return (typeof id === 'number' ? mix(id) : hash(id)) % shards;
}

/** Neighbouring numbers land on different shards, and every bit of the number counts. */
function mix(n: number): number {
  let h = Math.imul(n ^ (n >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** FNV-1a over the UTF-16 code units, then mixed. */
function hash(text: string): number {
  let h = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x0100_0193);
  return mix(h);
}
