import type { Random } from './random.ts';

const SPACES = ['', '', '', ' ', '\n', '\t ', '\r\n'];
const NUMBERS = ['0', '-0', '1.0', '12345678901234567890', '9007199254740993', '1e999', '-1.5E-3'];
const CHARS = ['a', 'id', '"', '\\', '/', '\n', '\u0000', 'é', '🙂', '\u2028', '{', ']', ',', ':'];
const LONE = String.raw`\ud83d`;

/** JSON text as no encoder would write it: odd white space, escapes, numbers and repeated keys. */
export function randomJson(random: Random, depth = 4): string {
  const kind = random.int(0, depth > 0 ? 9 : 5);
  if (kind <= 2) return randomJsonString(random);
  if (kind <= 4) return random.chance(0.5) ? random.pick(NUMBERS) : String(random.int32());
  if (kind === 5) return random.pick(['true', 'false', 'null']);
  if (kind <= 7) return randomArray(random, () => randomJson(random, depth - 1));
  const keys = ['id', 'sid', 'msg', '', '__proto__', 'a"b'];
  return randomObject(random, keys, () => randomJson(random, depth - 1));
}

export function randomArray(random: Random, element: () => string): string {
  const elements = Array.from({ length: random.int(0, 4) }, () => pad(random, element()));
  return `[${elements.length === 0 ? random.pick(SPACES) : elements.join(',')}]`;
}

/** Members with some of the keys, in any order, some of them twice. */
export function randomObject(
  random: Random,
  keys: readonly string[],
  value: (key: string) => string,
): string {
  const members = Array.from({ length: random.int(0, keys.length + 2) }, () => {
    const key = random.pick(keys);
    return `${pad(random, jsonKey(random, key))}:${pad(random, value(key))}`;
  });
  return `{${members.length === 0 ? random.pick(SPACES) : members.join(',')}}`;
}

export function randomJsonString(random: Random): string {
  let text = '"';
  for (let i = random.int(0, 6); i > 0; i--) {
    text += random.chance(0.05) ? LONE : jsonKey(random, random.pick(CHARS)).slice(1, -1);
  }
  return `${text}"`;
}

/** A string as JSON, now and then with every character escaped. */
function jsonKey(random: Random, key: string): string {
  if (random.chance(0.8)) return JSON.stringify(key);
  const escapes = Array.from({ length: key.length }, (_, i) =>
    key.charCodeAt(i).toString(16).padStart(4, '0'),
  );
  return `"${escapes.map((code) => `\\u${code}`).join('')}"`;
}

export function pad(random: Random, text: string): string {
  return random.pick(SPACES) + text + random.pick(SPACES);
}

/** A text with a few characters changed, dropped or repeated. */
export function mutated(random: Random, text: string): string {
  let result = text;
  for (let i = random.int(1, 3); i > 0; i--) {
    const at = random.int(0, result.length);
    const insert = random.pick(['', '"', '\\', '{', '}', ',', ':', '0', '\u0001', 'null']);
    result = result.slice(0, at) + insert + result.slice(at + random.int(0, 2));
  }
  // What comes from UTF-8 has no half characters.
  return Buffer.from(result).toString();
}
