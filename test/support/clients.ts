import { CometTcpClient, CometWebSocketClient, MessagingClient } from '../../src/client/index.ts';
import type { CometClient, CometSettings, Credentials, MessagingOptions } from '../../src/client/index.ts';
import type { Address } from './server.ts';

/** What is needed of a server to connect to it: one in this process, or a spawned one. */
export interface Target {
  readonly tcpAddress: Address;
  readonly httpAddress: Address;
}

export type CometKind = 'tcp' | 'ws-json' | 'ws-binary';
export const cometKinds: readonly CometKind[] = ['tcp', 'ws-json', 'ws-binary'];

/** Tests read exact frames and fail soon: no heartbeats of its own, short waits. */
const testSettings: CometSettings = { heartbeatMs: 0, timeoutMs: 5_000 };

type More = CometSettings & Omit<Credentials, 'mid'>;

/** A connection of this mid, authenticated. */
export function connectComet(
  kind: CometKind,
  server: Target,
  mid: number,
  more: More = {},
): Promise<CometClient> {
  switch (kind) {
    case 'tcp':
      return connectTcp(server, mid, more);
    case 'ws-json':
      return connectWebSocket(server, mid, more);
    case 'ws-binary':
      return connectWebSocketBinary(server, mid, more);
  }
}

export function connectTcp(server: Target, mid: number, more: More = {}): Promise<CometTcpClient> {
  return CometTcpClient.connect({ ...server.tcpAddress, ...testSettings, ...more, mid });
}

export function connectWebSocket(
  server: Target,
  mid: number,
  more: More = {},
): Promise<CometWebSocketClient> {
  return CometWebSocketClient.connect({
    ...server.httpAddress,
    ...testSettings,
    ...more,
    mid,
    encoding: 'json',
  });
}

export function connectWebSocketBinary(
  server: Target,
  mid: number,
  more: More = {},
): Promise<CometWebSocketClient> {
  return CometWebSocketClient.connect({
    ...server.httpAddress,
    ...testSettings,
    ...more,
    mid,
    encoding: 'binary',
  });
}

/** Connections that have not said who they are. */
export function openTcp(server: Target, settings: CometSettings = {}): Promise<CometTcpClient> {
  return CometTcpClient.open({ ...server.tcpAddress, ...testSettings, ...settings });
}

export function openWebSocket(
  server: Target,
  encoding: 'json' | 'binary',
  settings: CometSettings = {},
): Promise<CometWebSocketClient> {
  return CometWebSocketClient.open({ ...server.httpAddress, ...testSettings, ...settings, encoding });
}

export function connectMessaging(
  server: Target,
  clientId: string | number,
  more: Omit<MessagingOptions, 'clientId'> = {},
): Promise<MessagingClient> {
  return MessagingClient.connect({ ...server.httpAddress, timeoutMs: 5_000, ...more, clientId });
}
