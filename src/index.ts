/** Encke as a library: a server inside another program. Names are listed by hand. */
export type {
  Admission,
  AuthResult,
  Authenticator,
  CometCredentials,
  Credentials,
  MessagingCredentials,
} from './auth/auth.ts';
export type { Permissions } from './auth/permissions.ts';
export type { AuthSettings, GuestSettings } from './auth/settings.ts';
export type { Options } from './cli/options.ts';
export { parseOptions } from './cli/options.ts';
export { closes, EnckeError, errorReasons, type CloseReason, type ErrorCode } from './errors.ts';
export { limits } from './limits.ts';
export { startServer, type Address, type Server, type ServerOptions } from './server.ts';
export type { UserId } from './wire/user-id.ts';
