/** `encke/client`: clients of both protocols. Names are listed by hand. */
export { CometClient } from './comet.ts';
export type { CometSettings } from './comet.ts';
export type { CometMessage, Content, ConversationName, Credentials, JsonValue } from './encoding.ts';
export type { HistoryOptions, HistoryPage, Notice } from './encoding.ts';
export { ConnectionClosed, RequestRefused, UpgradeRefused, WaitTimeout } from './errors.ts';
export type { Closed } from './errors.ts';
export type { Frame } from './frames.ts';
export { MessagingClient } from './messaging.ts';
export type {
  Accepted,
  Id,
  MessagingError,
  MessagingMessage,
  MessagingOptions,
  Notification,
  Welcome,
} from './messaging.ts';
export { CometTcpClient } from './tcp.ts';
export type { TcpAddress } from './tcp.ts';
export { CometWebSocketClient } from './web-socket.ts';
export type { WebSocketAddress } from './web-socket.ts';
