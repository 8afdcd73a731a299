import { readFileSync } from 'node:fs';
import { withoutComments } from './comments.ts';
import { environmentName, flagNames, flags, fromText, schema } from './flags.ts';
import type { FlagName, FlagValues } from './flags.ts';
import { UsageError, oneLine } from './usage-error.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
export type ReadFile = (path: string) => string;
export type GivenValues = { readonly [K in FlagName]?: FlagValues[K] };

/** A place that values come from: each is checked by itself, so that an error names its place. */
export interface Source {
  readonly values: Readonly<Record<string, unknown>>;
  readonly nameOf: (flag: string) => string;
}

/** Names that tests set for themselves, in an environment that the server inherits. */
const reservedNames = /^ENCKE_(TEST|FUZZ)_/;
const prefix = 'ENCKE_';
const shownCharsMax = 80;

export const readUtf8: ReadFile = (path) => readFileSync(path, 'utf8');

export function commandLineSource(given: ReadonlyMap<FlagName, string>): Source {
  const values = Object.fromEntries([...given].map(([name, text]) => [name, fromText(name, text)]));
  return { values, nameOf: (flag) => `flag --${flag}` };
}

export function environmentSource(environment: Environment): Source {
  const flagOf = new Map(flagNames.map((flag) => [environmentName(flag), flag]));
  const values: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || text === undefined || reservedNames.test(name)) continue;
    if (name === environmentName('config')) continue;
    const flag = flagOf.get(name);
    if (flag === undefined) throw new UsageError(`environment ${name}: there is no such setting`);
    values[flag] = fromText(flag, text);
  }
  return { values, nameOf: (flag) => `environment ${environmentName(flag)}` };
}

/** `origin` says who named the file: a flag or the environment. */
export function fileSource(path: string, origin: string, readFile: ReadFile): Source {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    throw new UsageError(`${origin}: cannot read ${path}: ${(error as Error).message}`);
  }
  return { values: parseObject(text, path), nameOf: (key) => `key "${key}" in ${path}` };
}

function parseObject(text: string, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(withoutComments(text));
  } catch (error) {
    // Only the position: the message of some errors quotes the file, which may hold the admin token.
    const where = /at position \d+/.exec((error as Error).message)?.[0];
    throw new UsageError(`${path} is not JSON${where === undefined ? '' : `: error ${where}`}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`${path} is not a JSON object with flags as keys`);
  }
  return value as Record<string, unknown>;
}

/** The values of one source, checked. Throws UsageError for the first that is unknown or bad. */
export function checkSource({ values, nameOf }: Source): GivenValues {
  const result = schema.partial().safeParse(values);
  if (result.success) return withoutUndefined(result.data);
  const issue = result.error.issues[0];
  if (issue?.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    throw new UsageError(`${nameOf(key)}: there is no such setting${suggestion(key)}`);
  }
  const flag = String(issue?.path[0]);
  throw new UsageError(`${nameOf(flag)}: ${shown(flag, values[flag])} is not ${issue?.message}`);
}

function withoutUndefined(values: object): GivenValues {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** Keys are spelled like flags; one in camel case or with underscores is near enough to tell. */
function suggestion(key: string): string {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z]/g, '');
  const flag = flagNames.find((name) => plain(name) === plain(key));
  return flag === undefined ? '' : `; did you mean "${flag}"?`;
}

function shown(flag: string, value: unknown): string {
  if (flags[flag as FlagName].secret === true) return 'the value';
  const text = oneLine(JSON.stringify(value));
  return text.length > shownCharsMax ? `${text.slice(0, shownCharsMax)}…` : text;
}
