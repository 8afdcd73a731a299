import { Command, CommanderError } from 'commander';
import { readVersion } from '../version.ts';
import { defaults, environmentName, flagNames, flags } from './flags.ts';
import type { FlagName } from './flags.ts';
import { TextRequest, UsageError } from './usage-error.ts';

export interface CommandLine {
  readonly config: string | undefined;
  /** Flags as they were written; the schema has not seen them yet. */
  readonly given: ReadonlyMap<FlagName, string>;
}

const epilogue = `
Commands, each with a --help of its own:
  inspect --data <dir>             look into a data directory, and check it
  backup --data <dir> --to <dir>   copy a data directory, also while it is served
  token --mid <mid> --ttl <time>   mint a token for --auth token

Every flag is also an environment variable (${environmentName('tcp-port')}) and a key of the JSON file
("tcp-port"). The command line wins, then the environment, then the file.`;

/** Splits the arguments (without node and the script) into flags. Throws UsageError or TextRequest. */
export function readCommandLine(argv: readonly string[]): CommandLine {
  const given = new Map<FlagName, string>();
  let config: string | undefined;
  const command = new Command('encke')
    .description('A messaging server: users, groups, dense chat numbers, over TCP and WebSocket.')
    .version(readVersion(), '--version', 'print the version')
    .addHelpText('after', epilogue);
  for (const name of flagNames) {
    const preset = name in defaults ? ` (default: ${defaults[name as keyof typeof defaults]})` : '';
    command.option(`--${name} ${flags[name].value}`, flags[name].about + preset);
    command.on(`option:${name}`, (text: string | null) => {
      given.set(name, text ?? flags[name].alone ?? '');
    });
  }
  command.option('--config <file>', 'JSON file with flags as keys');
  command.on('option:config', (text: string) => void (config = text));
  parseArguments(command, argv);
  return { config, given };
}

/** Parses in the way of all commands. Throws UsageError or TextRequest. */
export function parseArguments(command: Command, argv: readonly string[]): void {
  let printed = '';
  command
    .helpOption('--help', 'print this help')
    .allowExcessArguments(false)
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void (printed += text),
      writeErr: () => {}, // The error is thrown as well, and told once.
    });
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new TextRequest(printed);
    if (error.code === 'commander.excessArguments')
      throw new UsageError(`unexpected argument "${command.args[0]}"`);
    throw new UsageError(error.message.replace(/^error: /, ''));
  }
}
