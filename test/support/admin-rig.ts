import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { createAdmin, type AdminSettings } from '../../src/admin/admin.ts';
import { adminRequest, type AdminAnswer } from './admin.ts';
import { logLines } from './log-lines.ts';
import { MemoryGroups } from './memory-groups.ts';
import { MemoryPresence } from './memory-presence.ts';
import { MemorySending } from './memory-sending.ts';

/** An admin port over groups, connections and the like in memory. */
export interface AdminRig {
  readonly port: number;
  readonly groups: MemoryGroups;
  readonly presence: MemoryPresence;
  readonly sending: MemorySending;
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
  const { logger, logged } = logLines();
  const admin = createAdmin({
    groups,
    presence,
    sending,
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
