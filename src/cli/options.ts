import { limits } from '../limits.ts';
import type { AuthSettings, GuestSettings } from '../auth/settings.ts';
import { resolveAuth } from './auth-options.ts';
import { readCommandLine } from './command-line.ts';
import { isLoopback } from './loopback.ts';
import { resolveWebhooks } from './webhook-options.ts';
import { defaults, environmentName } from './flags.ts';
import type { WebhookOptions } from '../webhook/options.ts';
import type { FlagValues } from './flags.ts';
import { checkSource, commandLineSource, environmentSource, fileSource, readUtf8 } from './sources.ts';
import type { Environment, GivenValues, ReadFile } from './sources.ts';
import { UsageError } from './usage-error.ts';

/** A bucket of `burst` requests that gains `perSecond`. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What is absent is not limited. */
export interface RateOptions {
  readonly connection?: Rate;
  readonly user?: Rate;
  readonly classes: Readonly<Record<string, Rate>>;
}

/** What the server runs with. Ports may be 0: a free one. Times are milliseconds. */
export interface Options {
  readonly workers: number;
  readonly host: string;
  readonly tcpPort: number;
  readonly httpPort: number;
  readonly adminPort: number;
  readonly adminHost: string;
  readonly adminToken?: string;
  /** PEM files; both or none. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsTcpPort: number;
  readonly tlsHttpPort: number;
  /** TLS on tcpPort and httpPort instead of ports of its own. */
  readonly tlsOnly: boolean;
  readonly data: string;
  readonly store: FlagValues['store'];
  readonly fsync: FlagValues['fsync'];
  /** Messages that are older are removed. Absent: none are. */
  readonly retentionAgeMs?: number;
  /** The newest messages of a conversation that are kept. Absent: all are. */
  readonly retentionMessages?: number;
  readonly auth: AuthSettings;
  /** Absent: messaging needs a `client_id`. */
  readonly guests?: GuestSettings;
  readonly packageBytesMax: number;
  readonly connectionsMax: number;
  readonly addressConnectionsMax: number;
  /** Origins of web pages that may connect. Absent: those of the host that is asked. */
  readonly origins?: readonly string[];
  /** Addresses and networks of proxies that are believed. */
  readonly trustedProxies: readonly string[];
  readonly webSocketCompression: boolean;
  readonly rates: RateOptions;
  readonly authTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly drainReconnectMs: number;
  readonly memoryStoreBytesMax: number;
  readonly logLevel: FlagValues['log-level'];
  /** Absent: there are none. */
  readonly webhooks?: WebhookOptions;
}

/**
 * Options from the arguments (without node and the script), the environment and the file that
 * --config names, in this order of precedence. Throws UsageError, or TextRequest for --help and
 * --version. docs/protocol.md, "Running".
 */
export function parseOptions(
  argv: readonly string[],
  environment: Environment,
  readFile: ReadFile = readUtf8,
): Options {
  const commandLine = readCommandLine(argv);
  const fromFlags = checkSource(commandLineSource(commandLine.given));
  const fromEnvironment = checkSource(environmentSource(environment));
  const fromFile = readConfig(commandLine.config, environment, readFile);
  return resolve({ ...fromFile, ...fromEnvironment, ...fromFlags }, readFile);
}

function readConfig(flag: string | undefined, environment: Environment, readFile: ReadFile): GivenValues {
  const name = environmentName('config');
  const path = flag ?? environment[name];
  if (path === undefined) return {};
  const origin = flag === undefined ? `environment ${name}` : 'flag --config';
  return checkSource(fileSource(path, origin, readFile));
}

function resolve(given: GivenValues, readFile: ReadFile): Options {
  const values = { ...defaults, ...given };
  const adminToken = given['admin-token'];
  return {
    workers: values.workers,
    host: values.host,
    tcpPort: values['tcp-port'],
    httpPort: values['http-port'],
    adminPort: values['admin-port'],
    adminHost: resolveAdminHost(given['admin-host'], adminToken, values.host),
    ...(adminToken !== undefined && { adminToken }),
    ...resolveTls(given),
    tlsTcpPort: values['tls-tcp-port'],
    tlsHttpPort: values['tls-http-port'],
    data: values.data,
    store: values.store,
    fsync: values.fsync,
    ...resolveRetention(given, values.store),
    ...resolveAuth(resolveKind(given.auth, values.host), given, values.guests, readFile),
    packageBytesMax: values['max-package-bytes'],
    connectionsMax: values['max-connections'],
    addressConnectionsMax: values['max-connections-per-address'],
    ...(given.origins !== undefined && { origins: listOf(given.origins) }),
    trustedProxies: listOf(given['trusted-proxies'] ?? ''),
    webSocketCompression: values['ws-compression'] === 'on',
    rates: resolveRates(given, values.host),
    authTimeoutMs: milliseconds(values['auth-timeout']),
    idleTimeoutMs: milliseconds(values['idle-timeout']),
    drainTimeoutMs: milliseconds(values['drain-timeout']),
    drainReconnectMs: milliseconds(values['drain-reconnect-window']),
    memoryStoreBytesMax: values['memory-max-mb'] * 1_048_576,
    logLevel: values['log-level'],
    ...resolveWebhooks(given, values, readFile),
  };
}

function resolveRetention(
  { 'retention-days': days, 'retention-messages': messages }: GivenValues,
  store: Options['store'],
): Pick<Options, 'retentionAgeMs' | 'retentionMessages'> {
  if (store !== 'disk' && (days !== undefined || messages !== undefined)) {
    throw new UsageError(
      `retention is of the disk store: --store ${store} has its own bound (--memory-max-mb)`,
    );
  }
  return {
    ...(days !== undefined && { retentionAgeMs: days * 86_400_000 }),
    ...(messages !== undefined && { retentionMessages: messages }),
  };
}

function resolveTls({
  'tls-cert': tlsCert,
  'tls-key': tlsKey,
  'tls-only': only = 'off',
}: GivenValues): Pick<Options, 'tlsCert' | 'tlsKey' | 'tlsOnly'> {
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new UsageError('TLS needs both --tls-cert and --tls-key');
  if (tlsCert === undefined || tlsKey === undefined) {
    if (only === 'on') throw new UsageError('--tls-only on needs --tls-cert and --tls-key');
    return { tlsOnly: false };
  }
  return { tlsCert, tlsKey, tlsOnly: only === 'on' };
}

/** On a loopback host nobody is limited who is not told to be: load tests run there. */
function resolveRates(given: GivenValues, host: string): RateOptions {
  const { requestsPerSecondMax, requestsBurstMax, userRequestsPerSecondMax, userRequestsBurstMax } = limits;
  const isLimited = !isLoopback(host);
  const preset = (perSecond: number, burst: number): string => (isLimited ? `${perSecond}:${burst}` : 'none');
  const connection = rateOf(given['rate-limit'] ?? preset(requestsPerSecondMax, requestsBurstMax));
  const user = rateOf(given['user-rate-limit'] ?? preset(userRequestsPerSecondMax, userRequestsBurstMax));
  const classes = listOf(given['rate-classes'] ?? '').map((entry): [string, Rate] => {
    const [name = '', rate = ''] = entry.split('=');
    return [name, rateOf(rate)!];
  });
  return {
    ...(connection !== undefined && { connection }),
    ...(user !== undefined && { user }),
    classes: Object.fromEntries(classes),
  };
}

/** `100` is `100:100`. */
function rateOf(text: string): Rate | undefined {
  if (text === 'none') return undefined;
  const [perSecond, burst = perSecond] = text.split(':').map(Number);
  return { perSecond: perSecond!, burst: burst! };
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Safe by default: who lets everyone in from outside this machine has said so. */
function resolveKind(auth: FlagValues['auth'] | undefined, host: string): FlagValues['auth'] {
  if (auth !== undefined) return auth;
  if (isLoopback(host)) return 'open';
  throw new UsageError(`host ${host} is not loopback: name who may connect, e.g. --auth open`);
}

function resolveAdminHost(adminHost: string | undefined, token: string | undefined, host: string): string {
  if (token !== undefined) return adminHost ?? host;
  if (adminHost === undefined) return '127.0.0.1';
  if (isLoopback(adminHost)) return adminHost;
  throw new UsageError(`admin host ${adminHost} is not loopback: set an admin token (--admin-token) as well`);
}

const milliseconds = (seconds: number): number => Math.round(seconds * 1_000);
