import type { WebhookOptions } from '../webhook/options.ts';
import { secretsRule, type FlagValues } from './flags.ts';
import type { GivenValues, ReadFile } from './sources.ts';
import { isLoopback } from './loopback.ts';
import { UsageError } from './usage-error.ts';

/** The flags of webhooks and before_send, put together: what is missing is a UsageError. */
export function resolveWebhooks(
  given: GivenValues,
  values: Pick<FlagValues, 'before-send-timeout' | 'before-send-down'>,
  readFile: ReadFile,
): { webhooks?: WebhookOptions } {
  const { webhook, 'before-send': beforeSend } = given;
  checkFit(given);
  const secrets = readSecrets(given, readFile);
  if (webhook === undefined && beforeSend === undefined) return {};
  for (const url of [webhook, beforeSend]) {
    if (url === undefined || secrets.length > 0 || isLoopback(hostOf(url))) continue;
    throw new UsageError('a webhook that is not on loopback needs a secret: --webhook-secret-file');
  }
  return {
    webhooks: {
      secrets,
      ...(webhook !== undefined && { url: webhook }),
      ...(beforeSend !== undefined && {
        beforeSend: {
          url: beforeSend,
          timeoutMs: Math.round(values['before-send-timeout'] * 1_000),
          whenDown: values['before-send-down'],
        },
      }),
    },
  };
}

function checkFit(given: GivenValues): void {
  const hasAny = given.webhook !== undefined || given['before-send'] !== undefined;
  for (const flag of ['webhook-secret', 'webhook-secret-file'] as const) {
    if (given[flag] !== undefined && !hasAny)
      throw new UsageError(`--${flag} needs --webhook or --before-send`);
  }
}

/** Without the brackets of an IPv6 address. */
const hostOf = (url: string): string => new URL(url).hostname.replace(/^\[|\]$/g, '');

function readSecrets(
  { 'webhook-secret': text, 'webhook-secret-file': file }: GivenValues,
  readFile: ReadFile,
): readonly string[] {
  if (text !== undefined && file !== undefined) {
    throw new UsageError('--webhook-secret and --webhook-secret-file: give one of them');
  }
  if (text !== undefined) return text.split(',');
  if (file === undefined) return [];
  let content: string;
  try {
    content = readFile(file);
  } catch (error) {
    throw new UsageError(`--webhook-secret-file: cannot read ${file}: ${(error as Error).message}`);
  }
  const secrets = content.split(/\r?\n/).filter((line) => line !== '');
  if (secrets.every((secret) => SECRET.test(secret)) && secrets.length > 0) return secrets;
  throw new UsageError(`--webhook-secret-file ${file}: its lines are not ${secretsRule}`);
}

const SECRET = /^[\x21-\x2b\x2d-\x7e]{8,512}$/;
