import { isInt32 } from '../wire/goim.ts';
import { parseClientId, type UserId } from '../wire/user-id.ts';

/** A request that goim refuses: code -400 with this message. */
export class BadParameter extends Error {
  override readonly name = 'BadParameter';
}

/** The query of a request. What comes several times is a list, as in goim: `mids=1&mids=2`. */
export class Parameters {
  readonly #query: URLSearchParams;

  constructor(url: string) {
    const at = url.indexOf('?');
    this.#query = new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
  }

  /** An int32; 0 if it is absent or empty. */
  int32(name: string): number {
    const number = integer(name, this.#query.get(name) ?? '');
    if (!isInt32(number)) throw new BadParameter(`${name}: out of the range of an int32`);
    return number;
  }

  /** An int32 that must be there and not be 0. */
  requiredInt32(name: string): number {
    const number = this.int32(name);
    if (number === 0) throw new BadParameter(`${name}: required, and not 0`);
    return number;
  }

  required(name: string): string {
    const text = this.#query.get(name) ?? '';
    if (text === '') throw new BadParameter(`${name}: required`);
    return text;
  }

  list(name: string): string[] {
    return this.#query.getAll(name);
  }

  requiredList(name: string): string[] {
    const list = this.list(name);
    if (list.length === 0) throw new BadParameter(`${name}: required`);
    return list;
  }

  /** The users that are meant by int64 mids; nobody is meant by 0 and below. */
  users(name: string): UserId[] {
    return this.list(name).flatMap((text) => {
      const mid = integer(name, text);
      const user = mid > 0 ? parseClientId(String(mid)) : undefined;
      return user === undefined ? [] : [user];
    });
  }
}

function integer(name: string, text: string): number {
  if (text === '') return 0;
  const number = /^[+-]?[0-9]{1,19}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new BadParameter(`${name}: not an integer, or too large a one`);
  return number;
}
