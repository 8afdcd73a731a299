import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseOptions } from '../../src/cli/options.ts';
import { startServer } from '../../src/server.ts';
import type { Server, ServerOptions } from '../../src/server.ts';

/** dist/main.js, from dist/test/support/. */
const mainFile = fileURLToPath(new URL('../../main.js', import.meta.url));
const readyTimeoutMs = 20_000;

/** Options of a server on free ports, with the memory store; nothing comes from the environment. */
export function testOptions(overrides: Partial<ServerOptions> = {}): ServerOptions {
  const ports = ['--tcp-port', '0', '--http-port', '0', '--admin-port', '0'];
  const options = parseOptions(
    [...ports, '--workers', '2', '--store', 'memory', '--log-level', 'silent'],
    {},
  );
  return { ...options, ...overrides };
}

/** A server in this process. Close it in `after` or `finally`. */
export function startTestServer(overrides: Partial<ServerOptions> = {}): Promise<Server> {
  return startServer(testOptions(overrides));
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of `node dist/main.js`. */
export interface MainProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly exit: Promise<Exit>;
  /** What came so far. */
  output(): { stdout: string; stderr: string };
}

export interface SpawnedServer extends MainProcess {
  readonly readyLine: string;
  readonly tcpAddress: Address;
  readonly httpAddress: Address;
  readonly adminAddress: Address;
  /** Waits until the log has this text. */
  logged(text: string): Promise<void>;
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Runs the program with exactly these arguments, and an environment without settings of its own. */
export function spawnMain(args: readonly string[], environment: Record<string, string> = {}): MainProcess {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ENCKE_'));
  const child = spawn(process.execPath, ['--enable-source-maps', mainFile, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...Object.fromEntries(inherited), ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exit = once(child, 'close').then(([code, signal]): Exit => {
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, stdout, stderr };
  });
  return { child, pid: child.pid ?? 0, exit, output: () => ({ stdout, stderr }) };
}

/** Runs a server on free ports (unless `args` say otherwise) and waits for its ready line. */
export async function spawnServer(
  args: readonly string[] = [],
  environment: Record<string, string> = {},
): Promise<SpawnedServer> {
  const ports = ['--tcp-port', '0', '--http-port', '0', '--admin-port', '0'];
  const main = spawnMain([...ports, '--store', 'memory', '--workers', '2', ...args], environment);
  const readyLine = await firstLine(main);
  const addressOf = (name: string): Address => {
    const [, host, port] = new RegExp(` ${name}=\\[?([^ \\]]+)\\]?:(\\d+)`).exec(readyLine) ?? [];
    return { host: host ?? '', port: Number(port) };
  };
  return {
    ...main,
    readyLine,
    tcpAddress: addressOf('tcp'),
    httpAddress: addressOf('http'),
    adminAddress: addressOf('admin'),
    logged: async (text) => {
      const signal = AbortSignal.timeout(readyTimeoutMs);
      while (!main.output().stderr.includes(text)) await once(main.child.stderr!, 'data', { signal });
    },
    stop: (signal = 'SIGTERM') => {
      main.child.kill(signal);
      return main.exit;
    },
  };
}

/** A server process that keeps what it has in `dir`. */
export const spawnDiskServer = (
  dir: string,
  args: readonly string[] = [],
  environment: Record<string, string> = {},
): Promise<SpawnedServer> => spawnServer(['--store', 'disk', '--data', dir, ...args], environment);

async function firstLine(main: MainProcess): Promise<string> {
  const lines = createInterface({ input: main.child.stdout! });
  const timeout = AbortSignal.timeout(readyTimeoutMs);
  const line = once(lines, 'line', { signal: timeout }).then(([text]) => String(text));
  const early = main.exit.then(({ code, stderr }): never => {
    throw new Error(`the server ended with ${code} before it was ready:\n${stderr}`);
  });
  try {
    return await Promise.race([line, early]);
  } catch (error) {
    main.child.kill('SIGKILL');
    throw error;
  } finally {
    line.catch(() => {}); // the loser of the race
    early.catch(() => {});
  }
}
