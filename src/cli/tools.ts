import { DataDirError } from '../store/disk/data-dir.ts';
import { runBackup } from './backup.ts';
import { runInspect } from './inspect.ts';
import { runToken } from './token.ts';
import { oneLine, TextRequest, UsageError } from './usage-error.ts';

/** Takes the arguments behind its name; returns the exit code. */
export type Tool = (argv: readonly string[]) => Promise<number>;

/** Commands that run beside a server, or without one. */
export const tools: ReadonlyMap<string, Tool> = new Map([
  ['inspect', runInspect],
  ['backup', runBackup],
  ['token', runToken],
]);

/** Exit codes: what the tool says; 1 when it fails, 2 when it was not asked in the right way. */
export async function runTool(tool: Tool, argv: readonly string[]): Promise<void> {
  try {
    process.exitCode = await tool(argv);
  } catch (error) {
    if (error instanceof TextRequest) {
      process.stdout.write(error.text);
      return;
    }
    process.stderr.write(`encke: ${oneLine((error as Error).message)}\n`);
    process.exitCode = error instanceof UsageError || error instanceof DataDirError ? 2 : 1;
  }
}
