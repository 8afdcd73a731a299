/** What a shard's webhooks and before_send did since its thread began. Plain numbers, for metrics. */
export class HookCounters {
  /** Events that a receiver has answered for, and requests that carried them. */
  eventsPosted = 0;
  batchesPosted = 0;
  /** Requests that were answered with anything but 2xx, or not at all. */
  postsFailed = 0;
  /** Records of the event log that were given up: it was full. */
  recordsLost = 0;
  /** Records of the event log that are not posted now. */
  backlog = 0;
  /** Messages by what before_send said. */
  messagesAllowed = 0;
  messagesRefused = 0;
  messagesReplaced = 0;
  /** Messages that were decided by --before-send-down. */
  messagesUndecided = 0;
  /** Messages that found before_send's queue full. */
  messagesOverloaded = 0;
  /** Messages that wait for before_send now. */
  messagesWaiting = 0;
}
