import { encke } from './encke.ts';
import { mosquitto } from './mosquitto.ts';
import { nats } from './nats.ts';
import type { Peer } from './peer.ts';
import { socketIo } from './socket-io.ts';

const workers = (count: number): Peer =>
  encke(`encke-${count}`, `Encke, ${count} workers`, '--store', 'disk', '--workers', String(count));

/** Every server there is, Encke once for each way that it is run; two workers where nothing else is said. */
export const peers: readonly Peer[] = [
  encke('encke-memory', 'Encke, memory', '--store', 'memory'),
  encke('encke-always', 'Encke, always', '--store', 'disk', '--fsync', 'always'),
  encke('encke-everysec', 'Encke, everysec', '--store', 'disk', '--fsync', 'everysec'),
  encke('encke-no', 'Encke, no fsync', '--store', 'disk', '--fsync', 'no'),
  workers(1),
  workers(2),
  workers(4),
  nats,
  mosquitto,
  socketIo,
];

export function peerNamed(name: string): Peer {
  const peer = peers.find((one) => one.name === name);
  if (peer === undefined) throw new Error(`there is no server ${name}`);
  return peer;
}
