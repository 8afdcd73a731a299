import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adminRequest } from '../admin.ts';
import { CertificateFiles } from '../certificates.ts';
import { seededRandom } from '../random.ts';
import { spawnDiskServer, type Address, type SpawnedServer } from '../server.ts';
import { Arena, pause, type Ports, type Size } from './arena.ts';
import { churn, tooManyConnections, tooManyOfOneUser, tooManyPings, tooManyRequests } from './floods.ts';
import { adminAbuse, compressionBomb, pretenders, tooDeep, tooLarge } from './malformed.ts';
import { MemoryWatch, type MemoryReport } from './memory.ts';
import { mutations } from './mutations.ts';
import { halfOpen, neverRead, slowBeginnings } from './slow.ts';
import { UsersProcess } from './users-process.ts';
import { midsOf, type UsersReport } from './users.ts';

export interface AttackOptions {
  readonly users: number;
  /** Between two messages of a user. */
  readonly intervalMs: number;
  readonly size: Size;
  /** Names of the abuses; all unless they are given. */
  readonly names?: readonly string[];
}

export interface AttackReport {
  readonly users: UsersReport;
  /** Abuses that did not end as documented: name and why. */
  readonly failures: readonly string[];
  readonly abuses: number;
  /** Chunks of what attackers got with something of others in it. */
  readonly leaks: number;
  readonly receivedBytes: number;
  readonly memory: MemoryReport;
  /** What the server complained about. */
  readonly complaints: readonly string[];
  readonly exitCode: number | null;
  readonly seconds: number;
}

type Abuse = (arena: Arena) => Promise<void>;

/** These go on at the same time. The others want all of the server's room, and come last. */
const together: readonly Abuse[] = [
  slowBeginnings,
  halfOpen,
  neverRead,
  tooManyRequests,
  tooManyPings,
  tooLarge,
  compressionBomb,
  tooDeep,
  pretenders,
  adminAbuse,
  mutations,
];
const alone: readonly Abuse[] = [churn, tooManyOfOneUser, tooManyConnections];

const ADMIN_TOKEN = 'attack-admin-token';
const GID = 7;
const BURST = 4_000;
const settleMs = 500;

/** Runs every abuse against a server of its own, while well-behaved users talk. */
export async function attack({
  users: count,
  intervalMs,
  size,
  names,
}: AttackOptions): Promise<AttackReport> {
  const startedAt = Date.now();
  const random = seededRandom('attack');
  const canary = `canary-${random.bytes(12).toString('hex')}`;
  const dir = mkdtempSync(join(tmpdir(), 'encke-attack-'));
  const files = new CertificateFiles();
  // The attackers of one abuse after another, beside the users, who are all at one address.
  const limits = { addressConnectionsMax: 400 + count + size.sockets * 12, burst: BURST };
  const connectionsMax = limits.addressConnectionsMax + count + 300;
  const server = await spawnDiskServer(dir, [
    '--fsync=no',
    `--admin-token=${ADMIN_TOKEN}`,
    `--tls-cert=${files.tlsCert}`,
    `--tls-key=${files.tlsKey}`,
    '--tls-tcp-port=0',
    '--tls-http-port=0',
    '--ws-compression=on',
    `--auth-timeout=${size.authTimeout}`,
    `--idle-timeout=${size.idleTimeout}`,
    `--rate-limit=${BURST / 2}:${BURST}`,
    `--max-connections-per-address=${limits.addressConnectionsMax}`,
    `--max-connections=${connectionsMax}`,
    '--log-level=warn',
  ]);
  let talking: UsersProcess | undefined;
  try {
    const ports = portsOf(server);
    await makeGroup(ports.admin, midsOf(count));
    talking = await UsersProcess.start({ ports, canary, count, intervalMs, gid: GID });
    const arena = new Arena(
      ports,
      size,
      random,
      { ...limits, connectionsMax },
      { gid: GID, canary, adminToken: ADMIN_TOKEN },
    );
    await pause(settleMs);
    const memory = new MemoryWatch(server.pid);
    const wanted = (abuses: readonly Abuse[]): Abuse[] =>
      abuses.filter(({ name }) => names === undefined || names.includes(name));
    const failures = await run(arena, wanted(together), wanted(alone));
    await arena.release();
    const users = await talking.finish();
    const report = memory.stop();
    const { code, stderr } = await server.stop();
    return {
      users,
      failures,
      abuses: together.length + alone.length,
      leaks: arena.leaks,
      receivedBytes: arena.receivedBytes,
      memory: report,
      complaints: stderr.split('\n').filter((line) => line !== ''),
      exitCode: code,
      seconds: Math.round((Date.now() - startedAt) / 1_000),
    };
  } finally {
    talking?.kill();
    server.child.kill('SIGKILL');
    files.remove();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function run(arena: Arena, atOnce: readonly Abuse[], then: readonly Abuse[]): Promise<string[]> {
  const failures: string[] = [];
  const tryOne = async (abuse: Abuse): Promise<void> => {
    try {
      await abuse(arena);
    } catch (error) {
      failures.push(
        `${abuse.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
    }
  };
  await Promise.all(atOnce.map(tryOne));
  for (const abuse of then) await tryOne(abuse);
  return failures;
}

function portsOf(server: SpawnedServer): Ports {
  const [, tcp, http] =
    / tls-tcp=127\.0\.0\.1:(\d+) tls-http=127\.0\.0\.1:(\d+)/.exec(server.readyLine) ?? [];
  const at = (port: string | undefined): Address => ({ host: '127.0.0.1', port: Number(port) });
  const { tcpAddress, httpAddress, adminAddress } = server;
  return { tcp: tcpAddress, http: httpAddress, tlsTcp: at(tcp), tlsHttp: at(http), admin: adminAddress };
}

async function makeGroup(admin: Address, members: readonly number[]): Promise<void> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const { status } = await adminRequest(admin, 'PUT', `/v1/groups/${GID}`, { members }, headers);
  if (status !== 201) throw new Error(`the group was not made: ${status}`);
}
