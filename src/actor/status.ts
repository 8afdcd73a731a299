/** What an activation is doing. Exactly one thing of its own runs at any time. */
export const Status = {
  /** Has no state yet: in the ready queue, its next turn begins with `load`. */
  fresh: 0,
  /** `load` returned a promise that is not settled. */
  loading: 1,
  /** Has state, no messages, no mailbox. The only status in which it may be passivated. */
  idle: 2,
  /** In the ready queue. */
  ready: 3,
  /** In its turn. */
  running: 4,
  /** A handler's promise is not settled: no other message runs. */
  suspended: 5,
  /** Failed: waits for its back-off, then it is fresh again. */
  backoff: 6,
  /** `save` before leaving memory is not settled. A message that comes now activates it again. */
  saving: 7,
  /** Left memory. Final: a later message to the id makes another activation. */
  gone: 8,
  /** `save` while it stays is not settled: no message runs. */
  writing: 9,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

/** What the actor asked for itself, done when its present message is. */
export const Wish = { none: 0, passivate: 1, stop: 2 } as const;
export type Wish = (typeof Wish)[keyof typeof Wish];
