import { parsePublicKeys, secretKeys, type JwtKey } from '../auth/jwt-keys.ts';
import type { AuthSettings, GuestSettings } from '../auth/settings.ts';
import { limits } from '../limits.ts';
import { defaults, type FlagName, type FlagValues } from './flags.ts';
import type { GivenValues, ReadFile } from './sources.ts';
import { UsageError } from './usage-error.ts';

/** The flags of `--auth`, put together: what is missing, or does not fit, is a UsageError. */

/** The flags that go with each provider; any other of them beside it is a mistake. */
const flagsOf = {
  open: [],
  token: ['auth-secret', 'auth-secret-file'],
  jwt: [
    'auth-secret',
    'auth-secret-file',
    'auth-jwt-key-file',
    'auth-jwks-url',
    'auth-audience',
    'auth-issuer',
  ],
  http: ['auth-secret', 'auth-secret-file', 'auth-url'],
} as const satisfies Record<FlagValues['auth'], readonly FlagName[]>;

const authFlags = [...new Set(Object.values(flagsOf).flat())];
const secretFlags: readonly FlagName[] = flagsOf.token;

export function resolveAuth(
  kind: FlagValues['auth'],
  given: GivenValues,
  guests: FlagValues['guests'],
  readFile: ReadFile,
): { auth: AuthSettings; guests?: GuestSettings } {
  checkFit(kind, given, guests);
  const secrets = readSecrets(given, readFile);
  return {
    auth: settingsOf(kind, given, secrets, readFile),
    ...(guests !== 'off' && { guests: { publish: guests === 'publish', secrets } }),
  };
}

function checkFit(kind: FlagValues['auth'], given: GivenValues, guests: FlagValues['guests']): void {
  const fitting: readonly FlagName[] = flagsOf[kind];
  for (const flag of authFlags) {
    if (given[flag] === undefined || fitting.includes(flag)) continue;
    if (guests !== 'off' && secretFlags.includes(flag)) continue; // it signs the tokens of guests
    throw new UsageError(`--${flag} does not go with --auth ${kind}`);
  }
}

function settingsOf(
  kind: FlagValues['auth'],
  given: GivenValues,
  secrets: readonly string[],
  readFile: ReadFile,
): AuthSettings {
  switch (kind) {
    case 'open':
      return { kind };
    case 'token':
      if (secrets.length > 0) return { kind, secrets };
      throw new UsageError('--auth token needs a secret: --auth-secret or --auth-secret-file');
    case 'jwt': {
      const { 'auth-audience': audience, 'auth-issuer': issuer } = given;
      return {
        kind,
        keys: jwtKeys(given, secrets, readFile),
        ...(audience !== undefined && { audience }),
        ...(issuer !== undefined && { issuer }),
      };
    }
    case 'http':
      return httpSettings(given, secrets);
  }
}

function httpSettings(given: GivenValues, secrets: readonly string[]): AuthSettings {
  const { 'auth-url': url, 'auth-http-timeout': timeout } = given;
  const [secret] = secrets;
  if (url === undefined) throw new UsageError('--auth http needs the URL of the service: --auth-url');
  if (secrets.length > 1) throw new UsageError('--auth http sends one secret: give one');
  return {
    kind: 'http',
    url: new URL(url),
    timeoutMs: Math.round((timeout ?? defaults['auth-http-timeout']) * 1_000),
    ...(secret !== undefined && { secret }),
  };
}

function jwtKeys(given: GivenValues, secrets: readonly string[], readFile: ReadFile): JwtKey[] | URL {
  const { 'auth-jwt-key-file': keyFile, 'auth-jwks-url': jwksUrl } = given;
  const ways = [secrets.length > 0, keyFile !== undefined, jwksUrl !== undefined].filter(Boolean).length;
  if (ways !== 1) {
    const what = ways === 0 ? 'needs a key' : 'takes its keys from one place';
    throw new UsageError(
      `--auth jwt ${what}: --auth-secret (or --auth-secret-file), --auth-jwt-key-file or --auth-jwks-url`,
    );
  }
  if (jwksUrl !== undefined) return new URL(jwksUrl);
  if (keyFile === undefined) return secretKeys(secrets);
  const pem = read('auth-jwt-key-file', keyFile, readFile);
  try {
    return parsePublicKeys(pem);
  } catch (error) {
    throw new UsageError(`--auth-jwt-key-file ${keyFile}: ${(error as Error).message}`);
  }
}

const SECRET = /^[\x21-\x2b\x2d-\x7e]+$/;

/** All secrets, in order: of the flag, separated by commas, or of the file, one a line. */
export function readSecrets(
  { 'auth-secret': text, 'auth-secret-file': file }: GivenValues,
  readFile: ReadFile,
): readonly string[] {
  if (text !== undefined && file !== undefined) {
    throw new UsageError('--auth-secret and --auth-secret-file: give one of them');
  }
  if (text !== undefined) return checkSecrets(text.split(','), '--auth-secret');
  if (file === undefined) return [];
  const lines = read('auth-secret-file', file, readFile)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  return checkSecrets(lines, `--auth-secret-file ${file}`);
}

function checkSecrets(secrets: readonly string[], origin: string): readonly string[] {
  const { authSecretsMax, authSecretCharsMin, authSecretCharsMax } = limits;
  if (secrets.length === 0 || secrets.length > authSecretsMax) {
    throw new UsageError(`${origin}: 1 to ${authSecretsMax} secrets are needed`);
  }
  for (const secret of secrets) {
    const isGood =
      SECRET.test(secret) && secret.length >= authSecretCharsMin && secret.length <= authSecretCharsMax;
    if (isGood) continue;
    throw new UsageError(
      `${origin}: a secret is not ${authSecretCharsMin} to ${authSecretCharsMax} printable ASCII characters, no spaces or commas`,
    );
  }
  return secrets;
}

function read(flag: FlagName, path: string, readFile: ReadFile): string {
  try {
    return readFile(path);
  } catch (error) {
    throw new UsageError(`--${flag}: cannot read ${path}: ${(error as Error).message}`);
  }
}
