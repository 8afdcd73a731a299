import { Command } from 'commander';
import { mintToken } from '../auth/mac-token.ts';
import { permissionsFrom, permissionsSchema } from '../auth/claims.ts';
import type { Permissions } from '../auth/permissions.ts';
import { parseClientId, type UserId } from '../wire/user-id.ts';
import { readSecrets } from './auth-options.ts';
import { parseArguments } from './command-line.ts';
import { environmentName } from './flags.ts';
import { readUtf8 } from './sources.ts';
import { oneLine, UsageError } from './usage-error.ts';

interface Given {
  readonly mid?: string;
  readonly clientId?: string;
  readonly ttl: string;
  readonly authSecret?: string;
  readonly authSecretFile?: string;
  readonly publish: boolean;
  readonly broadcast?: true;
  readonly groups?: string;
  readonly rateClass?: string;
}

/** `encke token`: one line, the token, on standard output. */
export async function runToken(argv: readonly string[]): Promise<number> {
  const command = new Command('encke token')
    .description('Mints a token for --auth token: the mkey of op 7, or the token of messaging.')
    .option('--mid <mid>', 'the user, a number')
    .option('--client-id <id>', 'the user, a messaging client id')
    .option('--ttl <time>', 'how long it is good: 90s, 15m, 1h, 7d, or never', '1h')
    .option(
      '--auth-secret <secret>',
      `the secret (better: the environment, ${environmentName('auth-secret')})`,
    )
    .option('--auth-secret-file <file>', 'a file of secrets; the first signs')
    .option('--no-publish', 'the user may not send')
    .option('--groups <gids>', 'the user may send to these groups only: 7,8')
    .option('--broadcast', 'the user may send to everyone at once')
    .option('--rate-class <name>', 'the rates that the user is held to');
  parseArguments(command, argv);
  const given = command.opts<Given>();
  const [secret] = readSecrets(secretsOf(given, process.env), readUtf8);
  if (secret === undefined) throw new UsageError('a secret is needed: --auth-secret or --auth-secret-file');
  const permissions = permissionsOf(given);
  const grant = { exp: expiryOf(given.ttl), ...(permissions !== undefined && { permissions }) };
  process.stdout.write(`${mintToken(secret, userOf(given), grant)}\n`);
  return Promise.resolve(0);
}

/** Flags, or else what the server itself would find in the environment. */
function secretsOf(
  { authSecret, authSecretFile }: Given,
  environment: NodeJS.ProcessEnv,
): { 'auth-secret'?: string; 'auth-secret-file'?: string } {
  const isGiven = authSecret !== undefined || authSecretFile !== undefined;
  const text = isGiven ? authSecret : environment[environmentName('auth-secret')];
  const file = isGiven ? authSecretFile : environment[environmentName('auth-secret-file')];
  return {
    ...(text !== undefined && { 'auth-secret': text }),
    ...(file !== undefined && { 'auth-secret-file': file }),
  };
}

function userOf({ mid, clientId }: Given): UserId {
  if ((mid === undefined) === (clientId === undefined)) throw new UsageError('give --mid or --client-id');
  const user = parseClientId(mid ?? clientId ?? '');
  const isGood = mid === undefined ? user !== undefined : typeof user === 'number';
  if (user !== undefined && isGood) return user;
  const allowed = mid === undefined ? '1 to 128 characters, but not 0' : 'an integer of 1..2147483647';
  throw new UsageError(`--${mid === undefined ? 'client-id' : 'mid'}: it is not ${allowed}`);
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** Seconds since 1970; 0: never. */
function expiryOf(ttl: string): number {
  if (ttl === 'never') return 0;
  const [, count = '', unit = ''] = /^([1-9][0-9]{0,8})([smhd])$/.exec(ttl) ?? [];
  const seconds = Number(count) * (SECONDS[unit] ?? 0);
  if (seconds > 0 && seconds <= 3_153_600_000) return Math.floor(Date.now() / 1_000) + seconds;
  throw new UsageError(`--ttl: ${oneLine(ttl)} is not a time like 90s, 15m, 1h, 7d, or never`);
}

/** Undefined: nothing was said, so the token need not say it either. */
function permissionsOf({ publish, broadcast, groups, rateClass }: Given): Permissions | undefined {
  if (publish && broadcast === undefined && groups === undefined && rateClass === undefined) return undefined;
  const checked = permissionsSchema.safeParse({
    publish,
    broadcast: broadcast === true,
    groups: groups === undefined ? undefined : groups.split(',').filter(Boolean).map(Number),
    rateClass,
  });
  if (checked.success) return permissionsFrom(checked.data);
  const flag = checked.error.issues[0]?.path[0] === 'rateClass' ? 'rate-class' : 'groups';
  throw new UsageError(
    flag === 'groups'
      ? '--groups: they are not integers of 1..2147483647, separated by commas, at most 1,024'
      : '--rate-class: it is not 1 to 64 letters, digits, - or _',
  );
}
