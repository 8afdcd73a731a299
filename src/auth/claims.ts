import { z } from 'zod';
import { limits } from '../limits.ts';
import type { Permissions } from './permissions.ts';

/** What credentials from elsewhere say, held to its shape: docs/auth.md "Permissions". */

const gid = z.int().min(1).max(2_147_483_647);

/** `{"groups":[7],"publish":true,"broadcast":false,"rateClass":"bot"}`, each of them optional. */
export const permissionsSchema = z.strictObject({
  groups: z.array(gid).max(limits.permissionGroupsMax).optional(),
  publish: z.boolean().default(true),
  broadcast: z.boolean().default(false),
  rateClass: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .optional(),
});

/** Seconds since 1970, as in a JWT. */
export const expirySchema = z.number().min(0).max(99_999_999_999);

/** Without the keys that are undefined. */
export function permissionsFrom({
  groups,
  publish,
  broadcast,
  rateClass,
}: z.output<typeof permissionsSchema>): Permissions {
  return {
    publish,
    broadcast,
    ...(groups !== undefined && { groups }),
    ...(rateClass !== undefined && { rateClass }),
  };
}

/** When credentials that say `exp` (seconds) run out here, in milliseconds. */
export const expiryOf = (exp: number): number => exp * 1_000 + limits.authClockToleranceMs;
