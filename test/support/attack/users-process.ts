/** The steady users in a process of their own: what attackers cost their own process is not counted. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Ports } from './arena.ts';
import type { UsersReport } from './users.ts';

export interface UsersTask {
  readonly ports: Ports;
  readonly canary: string;
  readonly count: number;
  /** A group that all are in. */
  readonly gid: number;
  readonly intervalMs: number;
}

const entry = fileURLToPath(new URL('./users-main.js', import.meta.url));

export class UsersProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when all are connected and have begun to talk. */
  static async start(task: UsersTask): Promise<UsersProcess> {
    const child = fork(entry, { execArgv: [] });
    child.send(task);
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => {
        throw new Error('the users could not connect');
      }),
    ]);
    return new UsersProcess(child);
  }

  async finish(): Promise<UsersReport> {
    const answer = once(this.#child, 'message');
    this.#child.send('finish');
    const [report] = (await answer) as [UsersReport];
    this.#child.disconnect();
    return report;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
