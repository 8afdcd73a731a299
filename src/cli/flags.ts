import { availableParallelism } from 'node:os';
import { isIP } from 'node:net';
import { z } from 'zod';
import { limits } from '../limits.ts';

/**
 * What an operator can set: the defaults, the schema that every source is held to, and the table
 * that names each flag. The key is the flag without its dashes, and the key of a --config file.
 */

const workersMax = 64;
/** Room for a few segments on each of the most workers that there can be. */
const memoryMaxMbMin = 16;
const memoryMaxMbMax = 1_048_576;
const retentionDaysMax = 36_500;
const mebibyte = 1_048_576;

/** Absent on purpose: `auth`, its settings and `admin-host`, which depend on other flags, and retention: all is kept. */
export const defaults = {
  workers: Math.min(availableParallelism(), workersMax),
  host: '127.0.0.1',
  'tcp-port': 3101,
  'http-port': 3102,
  'admin-port': 3111,
  'tls-tcp-port': 3103,
  'tls-http-port': 3104,
  'tls-only': 'off',
  data: './encke-data',
  store: 'disk',
  fsync: 'always',
  'max-package-bytes': limits.packageBytesMax,
  'auth-http-timeout': limits.authHttpTimeoutMs / 1_000,
  guests: 'off',
  'max-connections': limits.connectionsMax,
  'max-connections-per-address': limits.addressConnectionsMax,
  'ws-compression': 'off',
  'auth-timeout': limits.authTimeoutMs / 1_000,
  'idle-timeout': limits.idleTimeoutMs / 1_000,
  'drain-timeout': limits.drainTimeoutMs / 1_000,
  'drain-reconnect-window': limits.drainReconnectMs / 1_000,
  'memory-max-mb': limits.memoryStoreBytesMax / mebibyte,
  'before-send-timeout': limits.beforeSendTimeoutMs / 1_000,
  'before-send-down': 'refuse',
  'log-level': 'info',
} as const satisfies Partial<z.input<typeof schema>>;

/** The message of every issue says what is allowed, so that each bound is written once. */
function whole(min: number, max: number) {
  const allowed = `a whole number from ${min} to ${max}`;
  return z.int(allowed).min(min, allowed).max(max, allowed);
}

function seconds(min: number, max: number) {
  const allowed = `seconds from ${min} to ${max}`;
  return z.number(allowed).min(min, allowed).max(max, allowed);
}

function days(max: number) {
  const allowed = `days above 0, up to ${max}`;
  return z.number(allowed).positive(allowed).max(max, allowed);
}

function choice<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(
    values,
    values.length === 1 ? `${values[0]}, the only one for now` : `one of ${values.join(', ')}`,
  );
}

function host() {
  const allowed = 'an IP address or a host name';
  return z
    .string(allowed)
    .refine((text) => isIP(text) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(text), allowed);
}

const network = /^([0-9a-f:.]+)(?:\/(\d{1,3}))?$/i;

function isNetwork(text: string): boolean {
  const [, address = '', bits] = network.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && (bits === undefined || Number(bits) <= (version === 4 ? 32 : 128));
}

const isOrigin = (text: string): boolean =>
  text === '*' || /^[a-z][a-z0-9+.-]*:\/\/(\*\.)?[a-z0-9.[\]:-]+$/i.test(text);

/** Texts with commas between them. */
function list(allowed: string, isGood: (text: string) => boolean) {
  return z.string(allowed).refine((text) => text.split(',').every((part) => isGood(part.trim())), allowed);
}

/** `100` or `100:500`: requests in a second, and at once. */
const isRate = (text: string): boolean => /^[1-9]\d{0,8}(:[1-9]\d{0,8})?$/.test(text);

/** Also written as a plain number in the command line and in a file. */
function rate() {
  const allowed = 'a rate like 100 or 100:500, or none';
  return z
    .union([z.string(), z.int()], allowed)
    .transform(String)
    .refine((text) => text === 'none' || isRate(text), allowed);
}

const isRateClass = (text: string): boolean => {
  const [, of = ''] = /^[\w-]{1,64}=(.+)$/.exec(text) ?? [];
  return isRate(of);
};

function file() {
  return z.string('a file').min(1, 'a file');
}

function name() {
  const allowed = '1 to 256 printable ASCII characters, no spaces';
  return z.string(allowed).regex(/^[\x21-\x7e]{1,256}$/, allowed);
}

function httpUrl() {
  const allowed = 'an http:// or https:// URL without a user and a password in it';
  return z.string(allowed).refine((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, username, password } = new URL(text);
    return /^https?:$/.test(protocol) && username === '' && password === '';
  }, allowed);
}

/** What a webhook's secrets are; one a line in a file. */
export const secretsRule = '8 to 512 printable ASCII characters, no spaces or commas';

function secrets() {
  const allowed = `${secretsRule}, more than one separated by commas`;
  return z.string(allowed).regex(/^[\x21-\x2b\x2d-\x7e]{8,512}(,[\x21-\x2b\x2d-\x7e]{8,512})*$/, allowed);
}

export const schema = z.strictObject({
  workers: whole(1, workersMax),
  host: host(),
  'tcp-port': whole(0, 65_535),
  'http-port': whole(0, 65_535),
  'admin-port': whole(0, 65_535),
  'admin-host': host(),
  'admin-token': z.string().regex(/^[\x21-\x7e]{1,512}$/, '1 to 512 printable ASCII characters, no spaces'),
  'tls-cert': z.string('a file').min(1, 'a file'),
  'tls-key': z.string('a file').min(1, 'a file'),
  'tls-tcp-port': whole(0, 65_535),
  'tls-http-port': whole(0, 65_535),
  'tls-only': choice(['off', 'on']),
  data: z.string('a directory').min(1, 'a directory'),
  store: choice(['disk', 'memory']),
  fsync: choice(['always', 'everysec', 'no']),
  'retention-days': days(retentionDaysMax),
  'retention-messages': whole(1, Number.MAX_SAFE_INTEGER),
  auth: choice(['open', 'token', 'jwt', 'http']),
  'auth-secret': z.string('a text').min(1, 'a text'),
  'auth-secret-file': file(),
  'auth-jwt-key-file': file(),
  'auth-jwks-url': httpUrl(),
  'auth-audience': name(),
  'auth-issuer': name(),
  'auth-url': httpUrl(),
  'auth-http-timeout': seconds(0.01, 60),
  guests: choice(['off', 'receive', 'publish']),
  'max-package-bytes': whole(1_024, 16_777_216),
  'max-connections': whole(1, 10_000_000),
  'max-connections-per-address': whole(1, 10_000_000),
  'rate-limit': rate(),
  'user-rate-limit': rate(),
  'rate-classes': list('rates by name like gold=500:1000,bot=50', isRateClass),
  origins: list('origins like https://chat.example.org or https://*.example.org, or *', isOrigin),
  'trusted-proxies': list('addresses or networks like 10.0.0.0/8', isNetwork),
  'ws-compression': choice(['off', 'on']),
  'auth-timeout': seconds(0.01, 3_600),
  'idle-timeout': seconds(0.01, 604_800),
  'drain-timeout': seconds(0, 3_600),
  'drain-reconnect-window': seconds(0, 3_600),
  'memory-max-mb': whole(memoryMaxMbMin, memoryMaxMbMax),
  webhook: httpUrl(),
  'webhook-secret': secrets(),
  'webhook-secret-file': z.string('a file').min(1, 'a file'),
  'before-send': httpUrl(),
  'before-send-timeout': seconds(0.01, 10),
  'before-send-down': choice(['refuse', 'allow']),
  'log-level': choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
});

export type FlagName = keyof typeof schema.shape;
export type FlagValues = z.output<typeof schema>;

export interface Flag {
  /** How its value is written in --help. */
  readonly value: string;
  /** A number in text (command line, environment) is converted before the schema sees it. */
  readonly type: 'number' | 'text';
  readonly about: string;
  /** What it is when the flag stands alone; `value` is then in brackets. */
  readonly alone?: string;
  /** It is never shown, also when it is wrong. */
  readonly secret?: true;
}

export const flags: Readonly<Record<FlagName, Flag>> = {
  workers: { value: '<n>', type: 'number', about: 'shard threads' },
  host: { value: '<host>', type: 'text', about: 'address that clients connect to' },
  'tcp-port': { value: '<port>', type: 'number', about: 'comet over TCP; 0 takes a free port' },
  'http-port': {
    value: '<port>',
    type: 'number',
    about: 'WebSocket: /sub and /messaging; 0 takes a free port',
  },
  'admin-port': { value: '<port>', type: 'number', about: 'admin HTTP; 0 takes a free port' },
  'admin-host': {
    value: '<host>',
    type: 'text',
    about: 'address of the admin port (default: 127.0.0.1; with an admin token that of --host)',
  },
  'admin-token': {
    value: '<token>',
    type: 'text',
    about: 'bearer token that the admin port asks for',
    secret: true,
  },
  'tls-cert': { value: '<file>', type: 'text', about: 'PEM certificate chain: turns TLS on' },
  'tls-key': { value: '<file>', type: 'text', about: 'PEM key of the certificate' },
  'tls-tcp-port': { value: '<port>', type: 'number', about: 'comet over TCP with TLS' },
  'tls-http-port': { value: '<port>', type: 'number', about: 'WebSocket with TLS' },
  'tls-only': {
    value: '<off|on>',
    type: 'text',
    about: 'on: TLS on --tcp-port and --http-port, not on ports of its own',
  },
  data: { value: '<dir>', type: 'text', about: 'directory of the disk store' },
  store: { value: '<kind>', type: 'text', about: 'where messages are kept: disk, memory' },
  fsync: { value: '<when>', type: 'text', about: 'when the disk store syncs: always, everysec, no' },
  'retention-days': {
    value: '<days>',
    type: 'number',
    about: 'messages that are older are removed (default: none are)',
  },
  'retention-messages': {
    value: '<n>',
    type: 'number',
    about: 'so many messages of each conversation are kept (default: all are)',
  },
  auth: {
    value: '<kind>',
    type: 'text',
    about: 'who may connect: open (default on a loopback host only), token, jwt, http',
  },
  'auth-secret': {
    value: '<secret>',
    type: 'text',
    about: 'secret of token, of jwt (HS256) or for http; more than one with commas',
    secret: true,
  },
  'auth-secret-file': { value: '<file>', type: 'text', about: 'the same, one a line' },
  'auth-jwt-key-file': { value: '<file>', type: 'text', about: 'jwt: public keys, PEM' },
  'auth-jwks-url': { value: '<url>', type: 'text', about: 'jwt: where its key set is', secret: true },
  'auth-audience': { value: '<name>', type: 'text', about: 'jwt: must be in aud' },
  'auth-issuer': { value: '<name>', type: 'text', about: 'jwt: must be iss' },
  'auth-url': { value: '<url>', type: 'text', about: 'http: the service that is asked', secret: true },
  'auth-http-timeout': {
    value: '<seconds>',
    type: 'number',
    about: 'http: time for its answer',
  },
  guests: {
    value: '[what]',
    type: 'text',
    about: 'messaging without client_id: off, receive, publish (to users)',
    alone: 'receive',
  },
  'max-package-bytes': { value: '<bytes>', type: 'number', about: 'largest package or message' },
  'max-connections': { value: '<n>', type: 'number', about: 'connections of clients' },
  'max-connections-per-address': {
    value: '<n>',
    type: 'number',
    about: 'connections from one IPv4 address or one IPv6 /64',
  },
  'rate-limit': {
    value: '<n[:burst]>',
    type: 'text',
    about: 'requests in a second of a connection, or none (default: none on a loopback host)',
  },
  'user-rate-limit': {
    value: '<n[:burst]>',
    type: 'text',
    about: 'requests in a second of a user, or none (default: none on a loopback host)',
  },
  'rate-classes': {
    value: '<list>',
    type: 'text',
    about: 'rates of users by the rate class of their credentials: gold=500:1000,bot=50',
  },
  origins: {
    value: '<list>',
    type: 'text',
    about:
      'web pages that may connect: https://chat.example.org,https://*.example.org or * (default: same host)',
  },
  'trusted-proxies': {
    value: '<list>',
    type: 'text',
    about:
      "addresses and networks whose PROXY header or X-Forwarded-For names the client (default: nobody's)",
  },
  'ws-compression': { value: '<off|on>', type: 'text', about: 'permessage-deflate on WebSockets' },
  'auth-timeout': { value: '<seconds>', type: 'number', about: 'time a connection has to authenticate' },
  'idle-timeout': {
    value: '<seconds>',
    type: 'number',
    about: 'time without a frame that ends a connection',
  },
  'drain-timeout': { value: '<seconds>', type: 'number', about: 'time that a graceful stop may take' },
  'drain-reconnect-window': {
    value: '<seconds>',
    type: 'number',
    about: 'time over which the clients of a stop are told to come back; 0: not told',
  },
  'memory-max-mb': { value: '<mib>', type: 'number', about: 'bound of the memory store, in MiB' },
  webhook: { value: '<url>', type: 'text', about: 'events are posted there', secret: true },
  'webhook-secret': {
    value: '<secrets>',
    type: 'text',
    about: 'signs what is posted; more than one with commas',
    secret: true,
  },
  'webhook-secret-file': { value: '<file>', type: 'text', about: 'the same, one a line' },
  'before-send': { value: '<url>', type: 'text', about: 'is asked before a message is stored', secret: true },
  'before-send-timeout': { value: '<seconds>', type: 'number', about: 'time for its answer' },
  'before-send-down': { value: '<what>', type: 'text', about: 'while it cannot be asked: refuse, allow' },
  'log-level': { value: '<level>', type: 'text', about: 'trace, debug, info, warn, error, fatal, silent' },
};

export const flagNames = Object.keys(flags) as FlagName[];

export const environmentName = (flag: string): string => `ENCKE_${flag.toUpperCase().replaceAll('-', '_')}`;

/** A value that is not a number stays text, for the schema to refuse. */
export function fromText(flag: FlagName, text: string): string | number {
  return flags[flag].type === 'number' && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
