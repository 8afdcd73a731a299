/** Every bound of the actor runtime: name, unit last, default. Those marked with an option can be set. */
export const actorLimits = {
  /** Messages waiting for one actor. Option `mailbox.capacity` of a kind. */
  mailboxCapacity: 1_024,
  /** Messages that one actor has put aside. Full: `ctx.stash()` returns false. Option `stashMax` of a kind. */
  stashMax: 256,
  /** Children of one actor. Full: `ctx.spawn()` throws RangeError. */
  childrenMax: 65_536,
  /** Actors that one actor watches. Full: `ctx.watch()` throws RangeError. */
  watchesMax: 1_024,
  /** Messages that one actor handles before the next ready actor has its turn. */
  turnMessagesMax: 64,
  /** Time after which a turn ends early. */
  turnMs: 1,
  /** Messages after which a turn looks at the clock, for the first time and again. */
  turnLookFirstMessages: 4,
  turnLookMessages: 16,
  /** Room, in actors, of the array in front of a kind's map of residents: it doubles up to the most. */
  frontActorsMin: 64,
  frontActorsMax: 262_144,
  /** Room, in actors, that the ready queue keeps once it is empty. */
  readyKeptMax: 131_072,
  /** Length of one drain. Sockets and timers wait at most this long, plus one turn. Option `sliceMs`. */
  sliceMs: 4,
  /** Part of a slice that actors run before the drain, for asks from outside. */
  rushShare: 0.25,
  /** Messages between two looks at the clock within a drain, at most: fewer while handlers take long. */
  clockCheckMessages: 32,
  /** Time that an ask waits for its answer. Option `timeoutMs` of an ask. */
  askTimeoutMs: 5_000,
  /** Asks of one system that wait for an answer. Full: refused. Option `asksMax`. */
  asksMax: 65_536,
  /** Different timeouts of asks whose asks share a timer each. Beyond it, an ask has its own. */
  askTimersSharedMax: 64,
  /** Asks that wait in a row, each for the next. One more is refused as a cycle. */
  askDepthMax: 64,
  /** Actors looked at to find a cycle of asks. Beyond it, the ask's timeout ends a cycle. */
  cycleStepsMax: 64,
  /** Callers that wait for room in one mailbox, or in the queue for one node. Full: `room()` rejects. */
  roomWaitersMax: 1_024,
  /** Longest time that a change waits for its `save`. Option `saveBehindMs` of a kind. */
  saveBehindMs: 1_000,
  /** Frames that travel in one batch. */
  batchFramesMax: 1_024,
  /** Frames that wait for one other node. Full: tells return false. Option `linkFramesMax`. */
  linkFramesMax: 65_536,
  /** Frames on their way to one other node, not yet acknowledged. Option `linkWindowFrames`. */
  linkWindowFrames: 16_384,
  /** Estimated bytes that wait for, or are on their way to, one other node. Option `linkBytesMax`. */
  linkBytesMax: 16_777_216,
  /** Idle actors looked at in one step of passivation. */
  sweepStepMax: 256,
  /** Idle actors looked at to make room for a new one over `residentsMax`. */
  evictStepMax: 8,
  /** Message names of one kind; a mailbox entry keeps the index in 8 bits. */
  messageNamesMax: 256,
  /** Messages that a new ring, for those behind an actor's first one, has room for. Doubles when full. */
  mailboxMessagesMin: 4,
  /** Room, in messages, of the largest ring that is kept for another actor once it is empty. */
  pooledMailboxMax: 65_536,
  /** Room, in messages, of all rings kept. */
  pooledMessagesMax: 262_144,
  /** Time that `system.stop()` gives the actors. Option `timeoutMs` of stop. */
  stopTimeoutMs: 10_000,
  /** Actor threads of one system. Option `threads` of start. */
  threadsMax: 256,
  /** A thread that served this long before it died is replaced at once. */
  threadSettledMs: 5_000,
  /** Time until a thread that died earlier than that is replaced. */
  threadRestartMs: 500,
  /** Time beyond `stopTimeoutMs` that a thread has to say that it stopped. */
  threadStopGraceMs: 1_000,
  /** Virtual time that a simulation's `settle` moves at most. Beyond it: it rejects. */
  settleMsMax: 86_400_000,
  /** Lines that a simulation's trace keeps, the latest ones. */
  traceLinesMax: 10_000,
  /** Lines of it that a failure found by `explore` prints. */
  tracePrintedMax: 20,
  /** Longest time a timer takes: setTimeout fires at once beyond it. */
  timerMsMax: 2_147_483_647,
} as const;
