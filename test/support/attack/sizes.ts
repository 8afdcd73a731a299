import type { AttackOptions } from './attack.ts';

/** For every run of the tests. */
export const small: AttackOptions = {
  users: 100,
  intervalMs: 500,
  size: { sockets: 3, churn: 20, mutations: 8_000, unreadBytes: 8_000_000, authTimeout: 2, idleTimeout: 4 },
};

/** For `npm run test:attack`. */
export const full: AttackOptions = {
  users: 100,
  intervalMs: 200,
  size: {
    sockets: 40,
    churn: 1_000,
    mutations: 1_000_000,
    unreadBytes: 24_000_000,
    authTimeout: 4,
    idleTimeout: 8,
  },
};

/** What the server may need beyond what it had when only the users were there. */
export const memoryGrowthMbMax = 256;
