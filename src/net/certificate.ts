import { readFileSync } from 'node:fs';
import { constants } from 'node:crypto';
import { createSecureContext, createServer, type Server } from 'node:tls';
import type { Logger } from 'pino';
import type { NetCounters } from './counters.ts';

/** A certificate or key that cannot be used: one line for people. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

interface TlsFiles {
  /** PEM: the certificate, and behind it those that lead to its authority. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** TLS 1.3, and of 1.2 what has forward secrecy and authenticated encryption (docs/protocol.md "TLS"). */
const protocol = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const;

/** The certificate of the TLS ports, which can be loaded again while they serve. */
export class Certificate {
  readonly #files: TlsFiles;
  readonly #counters: NetCounters;
  readonly #servers: Server[] = [];
  #loaded: { cert: Buffer; key: Buffer };

  /** Throws CertificateError. */
  constructor(files: TlsFiles, counters: NetCounters) {
    this.#files = files;
    this.#counters = counters;
    this.#loaded = load(files);
    counters.certificatesLoaded += 1;
  }

  /** A TLS server that does not listen: it is handed sockets by emitting `connection`. */
  server(handshakeTimeoutMs: number): Server {
    const server = createServer({ ...protocol, ...this.#loaded, handshakeTimeout: handshakeTimeoutMs });
    this.#servers.push(server);
    return server;
  }

  /** For new connections; those that are open keep theirs. A bad file is logged, the old one stays. */
  reload(logger: Logger): void {
    try {
      this.#loaded = load(this.#files);
    } catch (error) {
      this.#counters.certificatesRefused += 1;
      logger.error(
        { reason: (error as Error).message },
        'the certificate was not reloaded: the old one stays',
      );
      return;
    }
    for (const server of this.#servers) server.setSecureContext({ ...protocol, ...this.#loaded });
    this.#counters.certificatesLoaded += 1;
    logger.info('the certificate was reloaded');
  }
}

function load({ certFile, keyFile }: TlsFiles): { cert: Buffer; key: Buffer } {
  const cert = read('certificate', certFile);
  const key = read('key', keyFile);
  try {
    createSecureContext({ ...protocol, cert, key });
  } catch (error) {
    throw new CertificateError(
      `the certificate ${certFile} and the key ${keyFile} cannot be used: ${(error as Error).message}`,
    );
  }
  return { cert, key };
}

function read(what: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CertificateError(`cannot read the ${what} ${file}: ${(error as NodeJS.ErrnoException).code}`);
  }
}
