import { isIPv4, isIPv6 } from 'node:net';

/*
 * The PROXY protocol, versions 1 and 2 (haproxy.org/download/3.0/doc/proxy-protocol.txt): what a
 * proxy that passes a byte stream on writes first, to say whose stream it is.
 */

const SIGNATURE_1 = Buffer.from('PROXY ');
const SIGNATURE_2 = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
/** Longest line of version 1, its end included. */
const LINE_BYTES_MAX = 107;
const HEAD_BYTES = 16;
/** Addresses and extensions of version 2. Longer ones are refused. */
const BODY_BYTES_MAX = 2_048;

export type ProxyHeader =
  /** More bytes are needed to tell. */
  | 'more'
  /** The stream does not begin with such a header. */
  | 'none'
  /** It begins like one and is none. */
  | 'bad'
  /** `address` is undefined where the proxy speaks for itself, or says that it does not know. */
  | { readonly bytes: number; readonly address: string | undefined };

/** Reads the header at the start of a stream. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (startsLike(bytes, SIGNATURE_2)) return bytes.length < HEAD_BYTES ? 'more' : parseBinary(bytes);
  if (!startsLike(bytes, SIGNATURE_1)) return 'none';
  const end = bytes.indexOf('\r\n');
  if (end < 0) return bytes.length < LINE_BYTES_MAX ? 'more' : 'bad';
  return end + 2 <= LINE_BYTES_MAX ? parseLine(bytes.toString('latin1', 0, end), end + 2) : 'bad';
}

/** As far as the bytes go. */
function startsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return length > 0 && bytes.compare(signature, 0, length, 0, length) === 0;
}

function parseLine(line: string, bytes: number): ProxyHeader {
  const [, family, source] = line.split(' ');
  if (family === 'UNKNOWN') return { bytes, address: undefined };
  const fits = (family === 'TCP4' && isIPv4(source ?? '')) || (family === 'TCP6' && isIPv6(source ?? ''));
  return fits ? { bytes, address: source } : 'bad';
}

function parseBinary(bytes: Buffer): ProxyHeader {
  const [versionAndCommand, family] = [bytes[12]!, bytes[13]! >> 4];
  const length = bytes.readUInt16BE(14);
  if (versionAndCommand >> 4 !== 2 || length > BODY_BYTES_MAX) return 'bad';
  const total = HEAD_BYTES + length;
  if (bytes.length < total) return 'more';
  const command = versionAndCommand & 15;
  if (command === 0) return { bytes: total, address: undefined }; // LOCAL: the proxy's own check
  if (command !== 1) return 'bad';
  if (family === 1 && length >= 12) return { bytes: total, address: ipv4Of(bytes) };
  if (family === 2 && length >= 36) return { bytes: total, address: ipv6Of(bytes) };
  return family === 0 || family === 3 ? { bytes: total, address: undefined } : 'bad';
}

const ipv4Of = (bytes: Buffer): string => bytes.subarray(16, 20).join('.');

function ipv6Of(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(16 + i * 2).toString(16));
  return groups.join(':');
}
