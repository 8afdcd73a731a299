import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Address } from '../server.ts';

export interface ToSoakServer {
  readonly crash: number;
}

export type FromSoakServer =
  | { readonly tcp: Address; readonly http: Address; readonly admin: Address }
  /** `ran`: there was a thread to end. */
  | { readonly crashed: number; readonly ran: boolean };

export interface ServerSettings {
  readonly store: 'memory' | 'disk';
  readonly fsync: 'always' | 'everysec' | 'no';
  /** Directory of the disk store. */
  readonly data: string;
  /** A fault of faulty-shard.ts. */
  readonly fault: string | undefined;
}

const entry = fileURLToPath(new URL('./soak-server.js', import.meta.url));
const readyTimeoutMs = 20_000;
/** What is kept of the standard error of a server that did not start or died by itself. */
const stderrCharsMax = 8_192;
const complaintCharsMax = 600;

/** The server under test: a child process that is killed and started again on the same data. */
export class ServerProcess {
  readonly #settings: ServerSettings;
  #child: ChildProcess | undefined;
  #ready: Promise<void>;
  #setReady: () => void = () => {};
  #stderr = '';
  /** Whether it ends because it was told to. */
  #expected = false;
  workers = 0;
  tcpAddress: Address = { host: '', port: 0 };
  httpAddress: Address = { host: '', port: 0 };
  adminAddress: Address = { host: '', port: 0 };
  /** Called when it ends by itself. */
  onDeath: (error: Error) => void = () => {};

  constructor(settings: ServerSettings) {
    this.#settings = settings;
    this.#ready = new Promise((resolve) => (this.#setReady = resolve));
  }

  /** Resolves when the server serves. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /** What the server complained about last, but for the deaths of shards, which are expected. */
  get complaint(): string {
    const lines = this.#stderr
      .split('\n')
      .filter((line) => line !== '' && !line.includes('a shard thread died'));
    return lines.at(-1)?.slice(0, complaintCharsMax) ?? '';
  }

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  /** `samePorts`: where it was before. */
  async start(workers: number, samePorts: boolean): Promise<void> {
    const port = (address: Address): string => String(samePorts ? address.port : 0);
    const { store, fsync, data, fault } = this.#settings;
    const args = ['--workers', String(workers), '--log-level', 'error', '--store', store];
    if (store === 'disk') args.push('--data', data, '--fsync', fsync);
    args.push('--tcp-port', port(this.tcpAddress), '--http-port', port(this.httpAddress));
    args.push('--admin-port', port(this.adminAddress));
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ENCKE_'));
    const child = fork(entry, args, {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
      env: { ...Object.fromEntries(inherited), ...(fault !== undefined && { ENCKE_SOAK_FAULT: fault }) },
    });
    this.#stderr = '';
    this.#expected = false;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrCharsMax);
    });
    child.on('exit', (code, signal) => {
      const started = this.#child === child;
      this.#child = undefined;
      if (started && !this.#expected)
        this.onDeath(new Error(`the server ended by itself: ${code ?? signal}\n${this.#stderr}`));
    });
    const timeout = AbortSignal.timeout(readyTimeoutMs);
    const early = once(child, 'exit', { signal: timeout }).then(() => {
      throw new Error(`the server did not start:\n${this.#stderr}`);
    });
    early.catch(() => {}); // it ends later, too
    const [message] = (await Promise.race([once(child, 'message', { signal: timeout }), early])) as [
      FromSoakServer,
    ];
    if (!('tcp' in message)) throw new Error('the server says where it listens first');
    this.tcpAddress = message.tcp;
    this.httpAddress = message.http;
    this.adminAddress = message.admin;
    this.workers = workers;
    this.#child = child;
    this.#setReady();
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#expected = true;
    this.#ready = new Promise((resolve) => (this.#setReady = resolve));
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    this.#child = undefined;
  }

  /** Ends a shard's thread, once; false when it does not run. */
  async crash(shard: number): Promise<boolean> {
    const child = this.#child;
    if (child === undefined) return false;
    const answer = once(child, 'message');
    child.send({ crash: shard } satisfies ToSoakServer);
    const [message] = (await answer) as [FromSoakServer];
    return 'ran' in message && message.ran;
  }
}
