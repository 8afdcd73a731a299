import { isIPv6 } from 'node:net';
import { oneLine } from './usage-error.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ListeningServer {
  readonly tcpAddress: Address;
  readonly httpAddress: Address;
  readonly adminAddress: Address;
  readonly tlsTcpAddress?: Address | undefined;
  readonly tlsHttpAddress?: Address | undefined;
  readonly workers: number;
}

/** The one line on standard output, once everything listens (docs/protocol.md, "Running"). */
export function readyLine(server: ListeningServer): string {
  const { tcpAddress, httpAddress, adminAddress, tlsTcpAddress, tlsHttpAddress, workers } = server;
  const tls =
    tlsTcpAddress === undefined || tlsHttpAddress === undefined
      ? ''
      : ` tls-tcp=${addressText(tlsTcpAddress)} tls-http=${addressText(tlsHttpAddress)}`;
  return (
    `encke ready tcp=${addressText(tcpAddress)} http=${addressText(httpAddress)} ` +
    `admin=${addressText(adminAddress)} workers=${workers} pid=${process.pid}${tls}`
  );
}

function addressText({ host, port }: Address): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

const listenFailures: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use',
  EACCES: 'may not be used by this user',
  EADDRNOTAVAIL: 'is not an address of this machine',
};

/** Why the server did not start, in one line. */
export function startFailure(error: unknown): string {
  if (!(error instanceof Error)) return `cannot start: ${oneLine(String(error))}`;
  const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const failure = code === undefined ? undefined : listenFailures[code];
  if (failure === undefined || address === undefined || port === undefined) {
    return `cannot start: ${oneLine(error.message)}`;
  }
  return `cannot start: ${addressText({ host: address, port })} ${failure}`;
}
