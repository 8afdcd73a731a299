import type { ActorId } from './types.ts';

/**
 * Which thread hosts an actor: 0 to `threads - 1`. Pure: all threads have to agree, at any time.
 */
export type ThreadPlace = (kind: string, id: ActorId, threads: number) => number;

/**
 * The default placement: by a hash of the id alone, so that actors of several kinds with one id are
 * on one thread. Numbers by the finalizer of MurmurHash3, texts by FNV-1a.
 */
export function placeById(_kind: string, id: ActorId, threads: number): number {
  return (typeof id === 'number' ? mix(id) : fnv1a(id)) % threads;
}

function mix(id: number): number {
  // Beyond 32 bits, and between integers, the upper and the broken part count as well.
  let hash = (id | 0) ^ Math.trunc(id / 2 ** 32) ^ Math.trunc((id % 1) * 2 ** 32);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function fnv1a(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
