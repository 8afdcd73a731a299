import { createHmac, timingSafeEqual } from 'node:crypto';
import type { UserId } from '../wire/user-id.ts';
import { permissionsFrom, permissionsSchema } from './claims.ts';
import { defaultPermissions, type Permissions } from './permissions.ts';

/*
 * docs/auth.md "Tokens": EXPIRY.SIGNATURE or EXPIRY.PERMISSIONS.SIGNATURE. The signature is the
 * HMAC-SHA-256, in hex, of everything before it and the user: "EXPIRY:USER". No head has a colon,
 * so that a part of one cannot be passed off as the beginning of a name.
 */

export interface TokenGrant {
  /** Seconds since 1970; 0: never. */
  readonly exp: number;
  readonly permissions?: Permissions;
}

const HEAD = /^(0|[1-9][0-9]{0,10})(?:\.([A-Za-z0-9_=,-]*))?$/;
const SIGNATURE = /^[0-9a-f]{64}$/;

const macOf = (secret: string, head: string, user: UserId): Buffer =>
  createHmac('sha256', secret).update(`${head}:${user}`).digest();

/** A token that lets `user` in. */
export function mintToken(secret: string, user: UserId, { exp, permissions }: TokenGrant): string {
  const head = permissions === undefined ? String(exp) : `${exp}.${permissionsText(permissions)}`;
  return `${head}.${macOf(secret, head, user).toString('hex')}`;
}

/** What a token grants to `user`; undefined when none of the secrets has signed it for that user. */
export function readToken(token: string, user: UserId, secrets: readonly string[]): TokenGrant | undefined {
  const dot = token.lastIndexOf('.');
  const signature = token.slice(dot + 1);
  const head = HEAD.exec(token.slice(0, Math.max(dot, 0)));
  if (head === null || !SIGNATURE.test(signature)) return undefined;
  if (!isSigned(Buffer.from(signature, 'hex'), head[0], user, secrets)) return undefined;
  const permissions = head[2] === undefined ? undefined : parsePermissions(head[2]);
  if (permissions === null) return undefined;
  return { exp: Number(head[1]), ...(permissions !== undefined && { permissions }) };
}

/** In the same time whatever the signature, and whichever secret it was made with. */
function isSigned(signature: Buffer, head: string, user: UserId, secrets: readonly string[]): boolean {
  let signed = false;
  for (const secret of secrets) {
    if (timingSafeEqual(macOf(secret, head, user), signature)) signed = true;
  }
  return signed;
}

function permissionsText({ groups, publish, broadcast, rateClass }: Permissions): string {
  const items: string[] = [];
  if (groups !== undefined) items.push(`groups=${groups.join('-')}`);
  if (publish !== defaultPermissions.publish) items.push(`publish=${Number(publish)}`);
  if (broadcast !== defaultPermissions.broadcast) items.push(`broadcast=${Number(broadcast)}`);
  if (rateClass !== undefined) items.push(`rate=${rateClass}`);
  return items.join(',');
}

const FLAGS: Readonly<Record<string, boolean>> = { '0': false, '1': true };

/** Null: not what `permissionsText` writes. Whoever signs it can still be wrong. */
function parsePermissions(text: string): Permissions | null {
  const given: Record<string, unknown> = {};
  for (const item of text === '' ? [] : text.split(',')) {
    const [, name = '', value = ''] = /^(groups|publish|broadcast|rate)=(.*)$/.exec(item) ?? [];
    const key = name === 'rate' ? 'rateClass' : name;
    if (name === '' || key in given) return null;
    if (name === 'groups') given[key] = value === '' ? [] : value.split('-').map(Number);
    else given[key] = name === 'rate' ? value : FLAGS[value];
    if (given[key] === undefined) return null;
  }
  const checked = permissionsSchema.safeParse(given);
  return checked.success ? permissionsFrom(checked.data) : null;
}
