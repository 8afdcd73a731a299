import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { createAdmin, type AdminSettings } from '../../src/admin/admin.ts';
import { Bans } from '../../src/admin/bans.ts';
import type { Figures } from '../../src/admin/stats-api.ts';
import { adminRequest, type AdminAnswer } from './admin.ts';
import { logLines } from './log-lines.ts';
import { MemoryHistory } from './memory-history.ts';
import { MemoryGroups } from './memory-groups.ts';
import { MemoryPresence } from './memory-presence.ts';
import { MemorySending } from './memory-sending.ts';

const emptyFigures: Figures = {
  version: '1.2.3',
  uptimeSeconds: 1.5,
  workers: 1,
  sockets: 0,
  bans: 0,
  memoryBytes: 1,
  store: { kind: 'memory', bytes: 0 },
  shards: [],
  missingShards: [0],
};

/** An admin port over groups, connections and the like in memory. */
export interface AdminRig {
  readonly port: number;
  readonly groups: MemoryGroups;
  readonly presence: MemoryPresence;
  readonly sending: MemorySending;
  readonly history: MemoryHistory;
  readonly admin: ReturnType<typeof createAdmin>;
  readonly logged: () => string;
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<AdminAnswer>;
}

export async function startAdmin(t: TestContext, settings: Partial<AdminSettings> = {}): Promise<AdminRig> {
  const groups = new MemoryGroups();
  const presence = new MemoryPresence();
  const sending = new MemorySending();
  const bans = new Bans();
  const history = new MemoryHistory();
  const { logger, logged } = logLines();
  const admin = createAdmin({
    groups,
    presence,
    sending,
    bans,
    history,
    stats: { read: async () => emptyFigures },
    shutOut: async (user, close) => presence.kick({ user, ...close }),
    messageBytesMax: 1_000,
    status: () => 'ready',
    logger,
    ...settings,
  });
  t.after(() => admin.close());
  await admin.listen({ host: '127.0.0.1', port: 0 });
  const { port } = admin.server.address() as AddressInfo;
  const address = { host: '127.0.0.1', port };
  return {
    port,
    groups,
    presence,
    sending,
    history,
    admin,
    logged,
    call: (...request) => adminRequest(address, ...request),
  };
}

/** Status and code of a refusal, which has nothing else but a reason. */
export function refusalOf({ status, body }: AdminAnswer): [number, unknown] {
  const { error: code, reason, ...rest } = body as Record<string, unknown>;
  assert.equal(typeof reason, 'string');
  assert.deepEqual(rest, {});
  return [status, code];
}
