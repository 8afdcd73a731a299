import { memberSlice } from './json-slice.ts';

const INTEGER = /^-?[1-9][0-9]*$/;

/**
 * The string form of an `id`, `sid` or `rid`, by which they are compared (docs/protocol.md,
 * "Messages"); undefined unless it is a non-empty string or a finite number.
 *
 * `value` is what JSON.parse made of the member `key` of the object that begins at `at` of `text`.
 * An integer of 2^53 and more is taken as it is written: as a double it would be the same as its
 * neighbours, and a message would be kept once for two, or go to someone else.
 */
export function idString(value: unknown, text: string, at: number, key: string): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
  if (Number.isSafeInteger(value)) return String(value);
  const { start, end } = memberSlice(text, at, key)!;
  const raw = text.slice(start, end);
  return INTEGER.test(raw) ? raw : String(value);
}
