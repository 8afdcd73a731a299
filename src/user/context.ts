import type { UserId } from '../wire/user-id.ts';
import type { ShardEnv } from './env.ts';
import type { Committed, Fed, Found } from './messages.ts';

/**
 * What the handlers of a user need of their context. Named here so that the handler files do not
 * import the kind, which imports them.
 */
export interface UserContext {
  readonly id: UserId;
  readonly env: ShardEnv;
  readonly self: {
    tell(name: 'committed', outcome: Committed): boolean;
    tell(name: 'fed', outcome: Fed): boolean;
    tell(name: 'found', outcome: Found): boolean;
    tell(name: 'saveAcks'): boolean;
  };
  readonly timers: {
    once(timer: string, ms: number, name: 'feed', payload: { readonly connection: number }): void;
  };
}
