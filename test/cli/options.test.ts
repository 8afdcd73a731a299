import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { isLoopback } from '../../src/cli/loopback.ts';
import { parseOptions } from '../../src/cli/options.ts';
import type { Options } from '../../src/cli/options.ts';
import { defaults, environmentName, flagNames } from '../../src/cli/flags.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { limits } from '../../src/limits.ts';

const parse = (args: string, environment: Record<string, string> = {}, file?: string): Options =>
  parseOptions(args.split(' ').filter(Boolean), environment, (path) => {
    if (path !== 'encke.json' || file === undefined) throw new Error('no such file');
    return file;
  });

const parseFile = (file: unknown, args = '', environment: Record<string, string> = {}): Options =>
  parse(`--config encke.json ${args}`, environment, typeof file === 'string' ? file : JSON.stringify(file));

function refused(run: () => unknown, message: string | RegExp): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof UsageError, String(error));
    assert.doesNotMatch(error.message, /\n/, 'one line');
    if (typeof message === 'string') assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  });
}

test('without arguments the defaults hold', () => {
  assert.deepEqual(parse(''), {
    workers: Math.min(64, availableParallelism()),
    host: '127.0.0.1',
    tcpPort: 3101,
    httpPort: 3102,
    adminPort: 3111,
    adminHost: '127.0.0.1',
    tlsTcpPort: 3103,
    tlsHttpPort: 3104,
    tlsOnly: false,
    data: './encke-data',
    store: 'disk',
    fsync: 'always',
    auth: { kind: 'open' },
    packageBytesMax: limits.packageBytesMax,
    connectionsMax: limits.connectionsMax,
    addressConnectionsMax: limits.addressConnectionsMax,
    rates: { classes: {} },
    trustedProxies: [],
    webSocketCompression: false,
    authTimeoutMs: limits.authTimeoutMs,
    idleTimeoutMs: limits.idleTimeoutMs,
    drainTimeoutMs: limits.drainTimeoutMs,
    drainReconnectMs: limits.drainReconnectMs,
    memoryStoreBytesMax: limits.memoryStoreBytesMax,
    logLevel: 'info',
  } satisfies Options);
});

test('the command line wins over the environment, and that over the file', () => {
  const file = { workers: 1, 'tcp-port': 1, 'http-port': 1 };
  const environment = { ENCKE_WORKERS: '2', ENCKE_TCP_PORT: '2' };
  const { workers, tcpPort, httpPort } = parseFile(file, '--workers 3', environment);
  assert.deepEqual({ workers, tcpPort, httpPort }, { workers: 3, tcpPort: 2, httpPort: 1 });
});

test('every flag can be set in all three places', () => {
  const others: Record<string, string | number> = {
    'admin-host': '::1',
    'admin-token': 'secret',
    auth: 'open',
    guests: 'publish',
    host: 'localhost',
    data: '/tmp/x',
    workers: availableParallelism() === 3 ? 4 : 3,
    fsync: 'no',
    store: 'memory',
    'retention-days': 0.5,
    'retention-messages': 100,
    'log-level': 'silent',
    'tls-cert': 'cert.pem',
    'tls-key': 'key.pem',
    'tls-only': 'on',
    'rate-limit': '5:10',
    'user-rate-limit': 7,
    'rate-classes': 'gold=5:10',
    origins: 'https://example.org',
    'trusted-proxies': '10.0.0.0/8,::1',
    'ws-compression': 'on',
  };
  const needs: Record<string, string> = {
    'tls-cert': '--tls-key key.pem',
    'tls-key': '--tls-cert cert.pem',
    'tls-only': '--tls-cert cert.pem --tls-key key.pem',
  };
  const alone = /webhook|before-send|^auth-(?!timeout)/; // they need each other
  for (const name of flagNames.filter((flag) => !alone.test(flag))) {
    const value = others[name] ?? Math.max(2, Number(defaults[name as keyof typeof defaults]) - 1);
    const rest = needs[name] ?? '';
    const byFlag = parse(`--${name} ${value} ${rest}`);
    assert.deepEqual(parse(`--${name}=${value} ${rest}`), byFlag);
    assert.deepEqual(parse(rest, { [environmentName(name)]: String(value) }), byFlag);
    assert.deepEqual(parseFile({ [name]: value }, rest), byFlag);
    if (name !== 'auth') assert.notDeepEqual(byFlag, parse(''), name);
  }
});

test('rates have a burst or are their own; nobody is limited by default on a loopback host', () => {
  const args = '--rate-limit 5:10 --user-rate-limit 7 --rate-classes gold=500:1000,bot=50';
  const rates = {
    connection: { perSecond: 5, burst: 10 },
    user: { perSecond: 7, burst: 7 },
    classes: { gold: { perSecond: 500, burst: 1_000 }, bot: { perSecond: 50, burst: 50 } },
  };
  assert.deepEqual(parse(args).rates, rates);
  const open = '--host 0.0.0.0 --auth open';
  assert.deepEqual(parse(open).rates, {
    connection: { perSecond: limits.requestsPerSecondMax, burst: limits.requestsBurstMax },
    user: { perSecond: limits.userRequestsPerSecondMax, burst: limits.userRequestsBurstMax },
    classes: {},
  });
  assert.deepEqual(parse(`${open} --rate-limit none --user-rate-limit none`).rates, { classes: {} });
  for (const bad of ['0', '-1', '1:0', '5:', 'many', '1.5', ''])
    refused(() => parseOptions(['--rate-limit', bad], {}), /is not a rate like 100 or 100:500, or none$/);
  for (const bad of ['gold', 'gold=none', 'gold=1,', '=1', 'a b=1'])
    refused(
      () => parseOptions(['--rate-classes', bad], {}),
      /is not rates by name like gold=500:1000,bot=50$/,
    );
});

test('TLS needs both files; lists have commas; a bad entry is refused', () => {
  refused(() => parse('--tls-cert a'), 'TLS needs both --tls-cert and --tls-key');
  refused(() => parse('--tls-key a'), 'TLS needs both --tls-cert and --tls-key');
  refused(() => parse('--tls-only on'), '--tls-only on needs --tls-cert and --tls-key');
  assert.deepEqual(parse('--trusted-proxies 10.0.0.0/8,::1').trustedProxies, ['10.0.0.0/8', '::1']);
  assert.deepEqual(parse('--origins https://a.org,https://*.b.org:8443').origins, [
    'https://a.org',
    'https://*.b.org:8443',
  ]);
  assert.equal(parse('').origins, undefined);
  for (const bad of ['10.0.0.0/33', '10.0.0', 'proxy', '::1/129', '::1,', '']) {
    refused(
      () => parseOptions(['--trusted-proxies', bad], {}),
      /is not addresses or networks like 10.0.0.0\/8$/,
    );
  }
  for (const bad of ['a.org', 'https://a.org/', 'https://a.org,', 'https://*', 'https://a.*.org']) {
    refused(() => parseOptions(['--origins', bad], {}), /is not origins like https:/);
  }
});

test('seconds become milliseconds, mebibytes become bytes', () => {
  const options = parse('--auth-timeout 0.25 --idle-timeout 90 --drain-timeout 0 --memory-max-mb 48');
  assert.equal(options.authTimeoutMs, 250);
  assert.equal(options.idleTimeoutMs, 90_000);
  assert.equal(options.drainTimeoutMs, 0);
  assert.equal(options.memoryStoreBytesMax, 50_331_648);
});

test('retention is of the disk store; without its flags everything is kept', () => {
  assert.equal(parse('--retention-days 0.5').retentionAgeMs, 43_200_000);
  assert.equal(parse('--retention-messages 7').retentionMessages, 7);
  assert.deepEqual(
    Object.keys(parse('')).filter((name) => name.startsWith('retention')),
    [],
  );
  const message = 'retention is of the disk store: --store memory has its own bound (--memory-max-mb)';
  refused(() => parse('--store memory --retention-days 1'), message);
  refused(() => parse('--store memory', { ENCKE_RETENTION_MESSAGES: '1' }), message);
  for (const days of ['0', '-1', '36501', 'all']) {
    refused(() => parse(`--retention-days ${days}`), /is not days above 0, up to 36500$/);
  }
  refused(() => parse('--retention-messages 1.5'), /is not a whole number from 1 to/);
});

test('a value out of its bounds is refused with what is allowed', () => {
  const bounds: [flag: string, min: number, max: number][] = [
    ['workers', 1, 64],
    ['tcp-port', 0, 65_535],
    ['http-port', 0, 65_535],
    ['admin-port', 0, 65_535],
    ['max-package-bytes', 1_024, 16_777_216],
    ['retention-messages', 1, Number.MAX_SAFE_INTEGER],
    ['auth-timeout', 0.01, 3_600],
    ['idle-timeout', 0.01, 604_800],
    ['drain-timeout', 0, 3_600],
    ['drain-reconnect-window', 0, 3_600],
    ['memory-max-mb', 16, 1_048_576],
  ];
  for (const [flag, min, max] of bounds) {
    parse(`--${flag} ${min}`);
    parse(`--${flag} ${max}`);
    const allowed = new RegExp(`^flag --${flag}: .* is not .* from ${min} to ${max}$`);
    refused(() => parse(`--${flag} ${min - 1}`), allowed);
    refused(() => parse(`--${flag} ${max + 1}`), allowed);
  }
});

test('a number is written in digits', () => {
  for (const text of ['eight', '1e1', '0x8', '8.5', '8,5', '+8', '8px', 'NaN', 'Infinity', '٨']) {
    refused(
      () => parse(`--workers ${text}`),
      `flag --workers: ${quoted(text)} is not a whole number from 1 to 64`,
    );
  }
  refused(() => parse('', { ENCKE_WORKERS: '' }), /^environment ENCKE_WORKERS: "" is not/);
  refused(() => parse('', { ENCKE_WORKERS: ' 8' }), /^environment ENCKE_WORKERS: " 8" is not/);
});

const quoted = (text: string): string => (/^-?\d+(\.\d+)?$/.test(text) ? text : JSON.stringify(text));

test('a choice is refused with what can be chosen', () => {
  refused(() => parse('--store ram'), 'flag --store: "ram" is not one of disk, memory');
  refused(() => parse('--fsync never'), 'flag --fsync: "never" is not one of always, everysec, no');
  refused(() => parse('--auth ldap'), 'flag --auth: "ldap" is not one of open, token, jwt, http');
  refused(() => parse('--log-level loud'), /is not one of trace, debug, info, warn, error, fatal, silent$/);
});

test('the error names the place that the value came from', () => {
  refused(() => parse('', { ENCKE_TCP_PORT: '70000' }), /^environment ENCKE_TCP_PORT: 70000 is not/);
  refused(() => parseFile({ 'tcp-port': '3101' }), /^key "tcp-port" in encke.json: "3101" is not/);
  refused(() => parseFile({ workers: null }), /^key "workers" in encke.json: null is not/);
});

test('a bad value is refused even where a better place overrules it', () => {
  refused(() => parse('--workers 2', { ENCKE_WORKERS: 'x' }), /^environment ENCKE_WORKERS/);
});

test('what is not known is refused', () => {
  refused(() => parse('--wrokers 2'), "unknown option '--wrokers' (Did you mean --workers?)");
  refused(() => parse('--worker 2'), /^unknown option '--worker'/);
  refused(() => parse('serve'), 'unexpected argument "serve"');
  refused(() => parse('', { ENCKE_PORT: '1' }), 'environment ENCKE_PORT: there is no such setting');
  refused(() => parseFile({ port: 1 }), 'key "port" in encke.json: there is no such setting');
  refused(() => parseFile({ tcpPort: 1 }), /there is no such setting; did you mean "tcp-port"\?$/);
  refused(() => parseFile({ config: 'other.json' }), /^key "config" in encke.json/);
  refused(() => parseFile('{"__proto__": 1}'), /^key "__proto__" in encke.json/);
});

test('names that tests use, and those of others, are left alone', () => {
  parse('', { ENCKE_TEST_ANYTHING: '1', ENCKE_FUZZ_SEED: '2', PATH: '/bin', encke_workers: 'x' });
});

test('a flag without its value is refused', () => {
  refused(() => parse('--workers'), "option '--workers <n>' argument missing");
});

test('a file that cannot be read, or holds something else, is refused', () => {
  refused(() => parse('--config nowhere.json'), 'flag --config: cannot read nowhere.json: no such file');
  refused(
    () => parse('', { ENCKE_CONFIG: 'nowhere.json' }),
    /^environment ENCKE_CONFIG: cannot read nowhere.json/,
  );
  refused(() => parseFile('{"workers": 1,}'), /^encke.json is not JSON/);
  for (const text of ['[]', '1', 'null', '"workers"']) refused(() => parseFile(text), /is not a JSON object/);
});

test('the file may be named in the environment; the flag wins', () => {
  assert.equal(parse('', { ENCKE_CONFIG: 'encke.json' }, '{"workers":7}').workers, 7);
  assert.equal(parse('--config encke.json', { ENCKE_CONFIG: 'other' }, '{"workers":7}').workers, 7);
});

test('open to everyone is the default on loopback only', () => {
  for (const host of ['127.0.0.1', '127.8.9.1', '::1', 'localhost']) {
    assert.equal(parse(`--host ${host}`).auth.kind, 'open');
  }
  for (const host of ['0.0.0.0', '::', '10.1.2.3', 'example.org']) {
    refused(() => parse(`--host ${host}`), new RegExp(`^host ${host} is not loopback: .* --auth open$`));
    assert.equal(parse(`--host ${host} --auth open`).host, host);
    assert.equal(parse(`--host ${host}`, { ENCKE_AUTH: 'open' }).host, host);
  }
});

test('the admin port leaves loopback only with a token', () => {
  assert.equal(parse('--host 0.0.0.0 --auth open').adminHost, '127.0.0.1');
  assert.equal(parse('--host 0.0.0.0 --auth open --admin-token t').adminHost, '0.0.0.0');
  assert.equal(parse('--host 0.0.0.0 --auth open --admin-token t --admin-host ::1').adminHost, '::1');
  assert.equal(parse('--admin-host 127.0.0.2').adminHost, '127.0.0.2');
  refused(() => parse('--admin-host 0.0.0.0'), /^admin host 0.0.0.0 is not loopback: .*--admin-token/);
});

test('the admin token may come from the environment and is never shown', () => {
  assert.equal(parse('', { ENCKE_ADMIN_TOKEN: 's3cret' }).adminToken, 's3cret');
  for (const token of ['', 'two words', 'tab\t', 'ü', 'x'.repeat(513)]) {
    refused(
      () => parse('', { ENCKE_ADMIN_TOKEN: token }),
      'environment ENCKE_ADMIN_TOKEN: the value is not 1 to 512 printable ASCII characters, no spaces',
    );
  }
  refused(() => parseFile('{"admin-token": s3cret}'), /^(?!.*s3cret)/);
});

test('a host is an address or a name', () => {
  for (const host of ['', 'a b', '-x', 'x_', '127.0.0.1:80', 'http://x']) {
    refused(() => parseOptions(['--host', host], {}), /is not an IP address or a host name$/);
  }
});

test('a long value is not shown whole', () => {
  refused(() => parse(`--store ${'x'.repeat(10_000)}`), /^.{1,160}$/);
});

test('loopback is 127/8, ::1 and localhost', () => {
  assert.ok(['127.0.0.1', '127.255.255.255', '::1', '0:0:0:0:0:0:0:1', 'LocalHost'].every(isLoopback));
  assert.ok(!['126.0.0.1', '128.0.0.1', '::', '::2', 'localhost.org', '0.0.0.0'].some(isLoopback));
});
