import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataDirError } from './data-dir.ts';
import { systemKey } from './layout.ts';
import { openDatabase } from './tables.ts';

/** Socket paths have room for about so many bytes, on every system. */
const SOCKET_PATH_BYTES_MAX = 100;
/** Who has the tables open: the name of its socket. */
export const OWNER = systemKey('owner');

/**
 * One server at a time on a data directory. The owner listens on a socket that the tables name:
 * whoever finds that it answers stays away. It dies with its process, however that ends, and
 * what names it is changed in a transaction, so that of two that start at once one wins.
 */
export class DirLock {
  readonly #server: Server;
  readonly #path: string;

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
  }

  /** Throws DataDirError when another server has the directory. */
  static async take(dir: string): Promise<DirLock> {
    const { name, path } = newSocket(dir);
    const server = createServer((socket) => socket.destroy());
    server.listen(path);
    await once(server, 'listening');
    server.unref();
    const lock = new DirLock(server, path);
    try {
      await own(dir, name);
      return lock;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  async release(): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
    try {
      unlinkSync(this.#path);
    } catch {
      // closing has removed it
    }
  }
}

async function own(dir: string, name: string): Promise<void> {
  const db = openDatabase(dir);
  try {
    for (;;) {
      const owner = db.getBinary(OWNER)?.toString();
      if (owner !== undefined && (await answers(socketPath(dir, owner)))) {
        throw new DataDirError(`data directory ${dir} is in use by another server`);
      }
      const won = db.transactionSync(() => {
        if (db.getBinary(OWNER)?.toString() !== owner) return false; // somebody was quicker
        void db.put(OWNER, Buffer.from(name));
        return true;
      });
      if (!won) continue;
      if (owner !== undefined) remove(socketPath(dir, owner));
      return;
    }
  } finally {
    await db.close();
  }
}

/** In the directory itself, so that it is found wherever that is mounted; or else a temporary one. */
function newSocket(dir: string): { name: string; path: string } {
  const id = randomUUID().slice(0, 8);
  if (process.platform === 'win32')
    return { name: `\\\\.\\pipe\\encke-${id}`, path: `\\\\.\\pipe\\encke-${id}` };
  const name = `lock-${id}`;
  const path = join(dir, name);
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return { name, path };
  const elsewhere = join(tmpdir(), `encke-${id}`);
  return { name: elsewhere, path: elsewhere };
}

const socketPath = (dir: string, name: string): string => (name.startsWith('lock-') ? join(dir, name) : name);

async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    // Anything else says that somebody may be there.
    return !['ECONNREFUSED', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '');
  } finally {
    socket.destroy();
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // it is gone already
  }
}
