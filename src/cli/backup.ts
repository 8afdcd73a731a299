import { Command } from 'commander';
import { backup } from '../store/disk/backup.ts';
import { parseArguments } from './command-line.ts';

/** `encke backup`. */
export async function runBackup(argv: readonly string[]): Promise<number> {
  const command = new Command('encke backup')
    .description('Copies a data directory, also while it is served. The copy can be served at once.')
    .requiredOption('--data <dir>', 'the data directory')
    .requiredOption('--to <dir>', 'the copy: a directory that does not exist, or is empty');
  parseArguments(command, argv);
  const { data, to } = command.opts<{ data: string; to: string }>();
  const { conversations, messages, bytes } = await backup(data, to);
  process.stdout.write(
    `copied ${data} to ${to}: ${messages} messages in ${conversations} conversations, ${bytes} bytes\n`,
  );
  return 0;
}
