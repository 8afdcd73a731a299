/**
 * Every bound of the server: name, unit last, default. docs/protocol.md ("Limits") and
 * ARCHITECTURE.md list them with the rule that holds when one is reached.
 *
 * Those that an operator may change are flags (src/cli/options.ts) that start from these values.
 */
export const limits = {
  /** Largest package, JSON message or messaging payload. Over it: 1009. Flag --max-package-bytes. */
  packageBytesMax: 65_536,
  /** Largest WebSocket message, which may hold many packages. Over it: 1009. */
  webSocketMessageBytesMax: 1_048_576,
  /** Sockets of clients on all ports. Full: TCP 1013, HTTP 503. Flag --max-connections. */
  connectionsMax: 250_000,
  /** The same from one address, or one /64. Full: 4429, HTTP 429. Flag --max-connections-per-address. */
  addressConnectionsMax: 20_000,
  /** Refused sockets that are told why at a time, and how long they may take to hear it. More are cut. */
  refusalsMax: 256,
  refusalMs: 1_000,
  /** HTTP request line and headers. Over it: HTTP 431. */
  httpHeaderBytesMax: 16_384,
  /** Heartbeats before op 7. Over it: 4429. */
  handshakeHeartbeatsMax: 4_096,
  /** WebSocket pings of one connection in a second. Over it: 4429. */
  webSocketPingsMax: 64,
  /** Bytes that a client has not read. Over it: its pings get no pong. */
  pongBacklogBytesMax: 1_048_576,
  /** With --ws-compression: a smaller message is sent as it is; so many are compressed at a time. */
  compressionBytesMin: 1_024,
  compressionsMax: 8,
  /** Sockets of the admin port. More are cut. */
  adminConnectionsMax: 1_024,
  /** Connections that wait to be accepted. Full: the kernel lets clients try again. */
  listenBacklogMax: 4_096,
  /** Time for the first op 7, or for a WebSocket upgrade's authentication. Flag --auth-timeout. */
  authTimeoutMs: 5_000,
  /** Time without one whole frame before 4408. Flag --idle-timeout. */
  idleTimeoutMs: 300_000,
  /** Time that a drain may take. Flag --drain-timeout. */
  drainTimeoutMs: 10_000,
  /** Clients of a drain are told to come back within this time. Flag --drain-reconnect-window. */
  drainReconnectMs: 5_000,
  /** Time that a connection ended by the server may take to close before it is cut. */
  lingerMs: 2_000,
  /** Bytes of a close reason, which a WebSocket close frame has room for. Over it: HTTP 400. */
  closeReasonBytesMax: 123,

  /** Length of `mkey` in op 7, and of a messaging token. Over it: bad_body, HTTP 401. */
  mkeyBytesMax: 4_096,
  /** How far the clock of who issued credentials may be off. */
  authClockToleranceMs: 5_000,
  /** Secrets, or public keys, that are tried. More are not taken at the start. */
  authSecretsMax: 16,
  /** Length of a secret, in characters. */
  authSecretCharsMin: 32,
  authSecretCharsMax: 512,
  /** Groups that credentials may name. Over it: they are refused. */
  permissionGroupsMax: 1_024,
  /** Time for an answer of the authentication service. Over it: refused. Flag --auth-http-timeout. */
  authHttpTimeoutMs: 3_000,
  /** Requests to it at once, and connections that wait for their turn. Full: refused. */
  authHttpRequestsMax: 64,
  authHttpWaitingMax: 4_096,
  /** Its answer. Longer: refused. */
  authReplyBytesMax: 65_536,
  /** How long an admission of it is good for the same credentials, and how many are kept. */
  authHttpCacheMs: 5_000,
  authHttpCacheEntriesMax: 10_000,
  /** A key set: its size, the time to fetch it, and how long it is kept. */
  jwksBytesMax: 262_144,
  jwksTimeoutMs: 3_000,
  jwksCacheMs: 600_000,
  /** Time before it is fetched again for a key that is not in it, or after it could not be fetched. */
  jwksCooldownMs: 30_000,
  jwksRetryMs: 1_000,
  /** How long before its credentials run out a connection is warned. */
  expiryWarningMs: 60_000,
  /** Connections that are warned or ended in one go, and the pause before the next ones. */
  expiryStepSessionsMax: 1_024,
  expiryPauseMs: 10,
  /** How long a guest can come back under its name. */
  guestTokenMs: 86_400_000,
  /** Length of a messaging client_id, in characters. Over it: HTTP 401. */
  clientIdCharsMax: 128,
  /** Length of a device name, in characters. */
  deviceCharsMax: 64,
  /** Named devices whose cursors are kept for one user. Full: the least recently used is forgotten. */
  userDevicesMax: 32,
  /** Connections of one user. Full: the new one is closed with 4429. */
  userConnectionsMax: 256,

  /**
   * Requests in a second and at once, of a connection and of a user. Over it: 4429. Flags --rate-limit
   * and --user-rate-limit; not limited by default on a loopback host.
   */
  requestsPerSecondMax: 10_000,
  requestsBurstMax: 20_000,
  userRequestsPerSecondMax: 20_000,
  userRequestsBurstMax: 40_000,
  /** Users of one shard without a connection whose rate is kept. Full: the oldest begins anew. */
  rateUsersLeftMax: 65_536,
  /** How deep JSON of a client may nest. Over it: 1007, or `not_json` in messaging. */
  jsonDepthMax: 128,
  /** Requests of one connection that wait for their reply. Full: its input is parked, then paused. */
  sessionRequestsMax: 1_024,
  /** Time for the outcome of a request. Over it: the connection is closed with 4500. */
  requestTimeoutMs: 30_000,
  /** Bytes that a connection may have on the way to its shard, not yet handled. Full: socket paused. */
  sessionInBytesMax: 262_144,
  /** Bytes of pushes a connection may have queued in one tick. Full: fed from the log instead. */
  sessionOutBytesMax: 262_144,
  /** Bytes on the way from the gateway to one shard. Full: its sockets are paused. */
  laneInBytesMax: 16_777_216,
  /** Bytes on the way from one shard to the gateway. Full: the shard holds its output back. */
  laneOutBytesMax: 16_777_216,
  /** Slabs that each end of a lane keeps to write into again, and their bytes. Full: the largest stay. */
  laneSparesMax: 4,
  laneSpareBytesMax: 8_388_608,

  /** Bytes of one run of messages (one sender, one conversation). Full: the next run is begun. */
  runBytesMax: 65_536,
  /** Bytes and messages of one step of catching up from the log. */
  feedBytesMax: 65_536,
  feedMessagesMax: 256,
  /** Conversations that are read at once, and merged by time, when a session catches up. */
  feedSourcesMax: 256,

  /** Messages in one op 25: unless asked for, and at most. Over the latter: bad_body. */
  historyMessages: 50,
  historyMessagesMax: 256,
  /** Bytes of the messages in one op 25, of which there is one at least. Full: the client asks again. */
  historyBytesMax: 65_536,
  /** Messages in the first window that is read for the newest first; later ones fit the bytes. */
  historyWindowMessages: 8,

  /** Messages and bytes of one `messages` notification (spec: 256 and 256 KiB). */
  notificationMessagesMax: 256,
  notificationBytesMax: 262_144,
  /** Unread ids of one user kept in memory. Full: an older id is looked up in the log. */
  mailboxIndexMax: 65_536,
  /** Gaps between read messages kept for one conversation. Full: the read is refused (mailbox_full). */
  mailboxGapsMax: 10_000,
  /** Ids of one conversation remembered to know a retry. Full: the oldest is forgotten. */
  retryIdsMax: 65_536,

  /** Members of one group. Over it: group_too_large. */
  groupMembersMax: 100_000,
  /** Time that a shard has to answer a scrape of /metrics. Over it: told without it. */
  scrapeTimeoutMs: 1_000,
  /** Length of a goim client's key, or of a room, in UTF-16 units. Over it: bad_body. */
  goimNameCharsMax: 256,
  /** Operations that one goim client accepts. Over it: bad_body. */
  goimAcceptsMax: 256,
  /** Message of one goim push. Over it: HTTP 413. */
  goimPushBytesMax: 1_048_576,
  /** Bytes of goim pushes that wait for one shard's lane. Full: the push is refused. */
  goimPendingBytesMax: 4_194_304,
  /** Bytes of goim pushes that leave as one write. Full: the next write is begun. */
  goimBatchBytesMax: 65_536,
  /** Pushes with a speed that are under way on one shard. Full: the push is refused. */
  goimPacedMax: 16,
  /** Rooms in one answer of online/top. A higher limit counts as this. */
  goimTopMax: 1_024,
  /** How late a shard may know how many clients of other shards are in a room. */
  goimOnlineMs: 1_000,
  /** Rooms whose counts one message between shards tells. */
  goimRoomsToldMax: 4_096,

  /** Body of an admin request. Over it: HTTP 413. */
  adminBodyBytesMax: 4_194_304,
  /** Connections, or bans, in one answer: unless asked for, and at most. Over the latter: HTTP 400. */
  adminPage: 100,
  adminPageMax: 1_000,
  /** Time that a shard has to say who is connected. Over it: it is missing from the answer. */
  presenceTimeoutMs: 2_000,
  /** Bans at a time. Full: refused with `too_many_bans`. */
  bansMax: 100_000,
  /** Receivers of one message that the admin port sends. Over it: HTTP 400. */
  adminRecipientsMax: 10_000,
  /** What a shard stores at once of such messages, in one batch. The rest is the next one. */
  publishBatchMessagesMax: 1_000,
  publishBatchBytesMax: 1_048_576,
  /** Such batches of one shard at a time. Full: the next one waits for its turn. */
  publishersPerShard: 16,
  /** Bytes of such messages that are being sent, or wait. Full: refused with `unavailable`. */
  publishingBytesMax: 67_108_864,
  /** Time that a batch may take to be stored. Over it: what is not is refused with `unavailable`. */
  publishTimeoutMs: 10_000,
  /** Messages to everyone at a time. Full: refused with `unavailable`. */
  broadcastsMax: 4,

  /** Messages waiting for a user or a group. Full: refused with `overloaded`. */
  mailboxCapacityMax: 16_384,
  /** Time after which a user or group that nobody uses leaves memory. */
  passivateAfterMs: 60_000,
  /** Users and groups resident on one shard. Full: the least recently used idle one leaves memory. */
  residentsMax: 200_000,
  /** Bytes that wait for another shard. Full: refused with `overloaded`. */
  linkBytesMax: 16_777_216,

  /** Time before a shard thread that died twice, each within the latter, is started again. */
  shardRestartMs: 1_000,
  shardSettledMs: 10_000,
  /** Delivery cursors are written behind within this time. */
  cursorFlushMs: 1_000,
  /** Journal of one shard that is not in the tables yet. At this size it is moved there. */
  memtableBytesMax: 16_777_216,
  /** The same after this time, so that tools and retention see what a quiet shard has. */
  memtableAgeMsMax: 60_000,
  /** The same while the tables cannot take it. Full: commits wait, or `storage_unavailable`. */
  journalBacklogBytesMax: 67_108_864,
  /** Bytes of one commit, unless one tick's appends alone are more. Full: the rest is the next one. */
  commitBytesMax: 4_194_304,
  /** Bytes of messages in one value of the tables. A longer run stands alone. */
  chunkBytesMax: 65_536,
  /** A conversation's last value that is smaller is written again together with what follows. */
  chunkMergeBytesMax: 2_048,
  /** Time before the tables are tried again after they could not be written. */
  storeRetryMs: 1_000,

  /** What retention does at a time: conversations looked at, chunks removed (one transaction), time. */
  retentionStepConversationsMax: 256,
  retentionStepChunksMax: 256,
  retentionStepMsMax: 4,
  /** Time between two such steps, in which segments are moved, and between two sweeps over everything. */
  retentionPauseMs: 10,
  retentionSweepMs: 30_000,
  /** Bytes of one transaction of a backup. */
  backupCommitBytesMax: 16_777_216,
  /** Attempts to see journals and tables as of one moment while segments are moved. */
  snapshotAttemptsMax: 100,
  /** What `encke inspect` tells of damages, and of conversations (flag --top of it). */
  inspectDamagesMax: 100,
  inspectTopMax: 10_000,

  /** Events, and bytes of them, in one request of a webhook; a run of messages alone may be more. */
  webhookBatchEventsMax: 512,
  webhookBatchBytesMax: 262_144,
  /** Time in which events gather before they are posted. */
  webhookBatchMs: 50,
  /** Time for the answer to a webhook's request. Over it: it is posted again. */
  webhookTimeoutMs: 10_000,
  /** Time before it is posted again: doubled from the first to the second, half of it by chance. */
  webhookRetryMs: 500,
  webhookRetryMsMax: 60_000,
  /** Records in a shard's event log that are not posted. Full: the oldest tenth is given up. */
  webhookBacklogMax: 1_000_000,
  /** Events that are no messages and are not in the event log yet. Full: new ones are given up. */
  webhookPendingMax: 65_536,
  /** Members in one event of a group that changed. More: another event. */
  webhookGroupMembersMax: 5_000,
  /** Bytes of an answer that are read. Over it: its connection is not used again. */
  webhookReplyBytesMax: 65_536,
  /** Time that a stop waits for what is in the event log to be posted. */
  webhookDrainMs: 2_000,
  /** Time between questions whether what earlier runs have left is posted. */
  webhookPeerPollMs: 250,
  /** Time that a user without a connection still counts as online. */
  presenceGraceMs: 10_000,
  /** Users in that time. Full: the one that went first is told offline at once. */
  presenceLeavingMax: 65_536,
  /** Time for before_send's answer. Flag --before-send-timeout. Over it: before_send is down. */
  beforeSendTimeoutMs: 1_000,
  /** Requests to before_send that a shard has open: a connection is always in the same lane. */
  beforeSendLanes: 4,
  /** Messages, and bytes of them, in one request to before_send. */
  beforeSendBatchMessagesMax: 256,
  beforeSendBatchBytesMax: 262_144,
  /** Messages, and bytes of them, that wait in a lane. Full: refused with `overloaded`. */
  beforeSendQueueMessagesMax: 4_096,
  beforeSendQueueBytesMax: 4_194_304,
  /** Bytes of before_send's answer. Over it: before_send is down. */
  beforeSendReplyBytesMax: 4_194_304,
  /** Time in which before_send is not asked again after it was found down. */
  beforeSendRetryMs: 1_000,

  /** Bytes of the memory store, all shards together. Full: the oldest messages are dropped. */
  memoryStoreBytesMax: 2_147_483_648,
  /** Size of one segment of the memory store; of a small store an eighth, but at least the latter. */
  memorySegmentBytes: 4_194_304,
  memorySegmentBytesMin: 65_536,
} as const;
