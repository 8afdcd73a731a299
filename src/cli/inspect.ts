import { Command } from 'commander';
import { limits } from '../limits.ts';
import { inspect, type Inspection } from '../store/disk/inspect.ts';
import { parseArguments } from './command-line.ts';
import { oneLine, UsageError } from './usage-error.ts';

/** `encke inspect`: exit code 0 when all is well, 1 when something is damaged. */
export async function runInspect(argv: readonly string[]): Promise<number> {
  const command = new Command('encke inspect')
    .description(
      'Counts what a data directory holds and checks it: of a server that runs, was stopped or crashed. ' +
        'Nothing is changed. Exit code 1: something is damaged.',
    )
    .requiredOption('--data <dir>', 'the data directory')
    .option('--top <n>', 'so many of the largest conversations are listed', '10')
    .option('--json', 'print one JSON object');
  parseArguments(command, argv);
  const { data, top, json } = command.opts<{ data: string; top: string; json?: true }>();
  const found = await inspect(data, readTop(top));
  process.stdout.write(json === true ? `${JSON.stringify(found)}\n` : textOf(found));
  return found.damageCount === 0 ? 0 : 1;
}

function readTop(text: string): number {
  const top = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (top >= 0 && top <= limits.inspectTopMax) return top;
  throw new UsageError(`--top: ${oneLine(text)} is not a whole number from 0 to ${limits.inspectTopMax}`);
}

function textOf(found: Inspection): string {
  const lines = [
    `${found.directory}, storage format ${found.format}`,
    '',
    `conversations  ${found.conversations}, ${found.pairs} of them pairs`,
    `groups         ${found.groups} with ${found.members} members`,
    `users          ${found.users}`,
    `messages       ${found.messages}, ${found.messagesBytes} bytes`,
    ...(found.events === 0 ? [] : [`events         ${found.events} for webhooks`]),
    `tables         ${found.chunks} chunks of messages, ${found.tablesBytes} bytes`,
    `journals       ${found.journalSegments} segments, ${found.journalBytes} bytes` +
      (found.tornBytes === 0 ? '' : `, ${found.tornBytes} of them of commits that were not finished`),
  ];
  if (found.largest.length > 0) lines.push('', 'largest conversations: bytes, messages');
  for (const { conversation, bytes, first, last } of found.largest) {
    const kept = last < first ? `none up to ${last}` : `${first} to ${last}`;
    lines.push(`${String(bytes).padStart(12)}  ${kept.padEnd(24)}  ${conversation}`);
  }
  lines.push('');
  if (found.damageCount === 0) lines.push('no damage was found');
  else lines.push(`${found.damageCount} damages:`, ...found.damages.map((line) => `  ${oneLine(line)}`));
  const leftOut = found.damageCount - found.damages.length;
  if (leftOut > 0) lines.push(`  and ${leftOut} more`);
  return `${lines.join('\n')}\n`;
}
