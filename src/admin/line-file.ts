import { open, readFile, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EnckeError } from '../errors.ts';

/**
 * A file of lines that is appended to: a line is on the disk when `append` resolves. Lines that come
 * while the disk is busy are one write. A file that a write has left half done is written anew.
 */
export class LineFile {
  readonly #path: string;
  /** Everything that a new file would hold. */
  readonly #whole: () => string;
  #file: FileHandle | undefined;
  /** Lines in the file: past the bound it is written anew. */
  #lines = 0;
  #linesMax = 0;
  #pending = '';
  #pendingLines = 0;
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  private constructor(path: string, whole: () => string) {
    this.#path = path;
    this.#whole = whole;
  }

  /** Reads the lines that there are; the last one may have been cut off by a crash. */
  static async open(path: string, onLine: (line: string) => void, whole: () => string): Promise<LineFile> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    for (const line of text.split('\n').slice(0, -1)) onLine(line);
    const file = new LineFile(path, whole);
    if (text !== '') await file.#rewrite('');
    return file;
  }

  /** EnckeError `storage_unavailable`: the line may be in the file or not; the next write puts that right. */
  append(line: string): Promise<void> {
    this.#pending += `${line}\n`;
    this.#pendingLines += 1;
    this.#next ??= this.#afterThat();
    return this.#next;
  }

  async close(): Promise<void> {
    await this.#next?.catch(() => {});
    await this.#writing?.catch(() => {});
    await this.#file?.close();
    this.#file = undefined;
  }

  async #afterThat(): Promise<void> {
    await this.#writing?.catch(() => {});
    const [text, lines] = [this.#pending, this.#pendingLines];
    this.#pending = '';
    this.#pendingLines = 0;
    this.#next = undefined;
    this.#writing = this.#write(text, lines);
    await this.#writing;
  }

  async #write(text: string, lines: number): Promise<void> {
    try {
      if (this.#file === undefined || this.#lines + lines > this.#linesMax) return await this.#rewrite(text);
      await this.#file.appendFile(text);
      await this.#file.datasync();
      this.#lines += lines;
    } catch (error) {
      await this.#file?.close().catch(() => {});
      this.#file = undefined;
      throw new EnckeError('storage_unavailable', (error as Error).message);
    }
  }

  /** What is true now, and the lines that are to change it. */
  async #rewrite(lines: string): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
    const text = this.#whole() + lines;
    const begun = `${this.#path}.new`;
    const file = await open(begun, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
      await rename(begun, this.#path);
      await syncDirectory(dirname(this.#path));
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#file = file;
    this.#lines = text.split('\n').length - 1;
    this.#linesMax = 2 * this.#lines + LINES_MIN;
  }
}

/** Of a file that is written anew when it has become twice as long. */
const LINES_MIN = 1_000;

async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return; // directories cannot be opened there
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
