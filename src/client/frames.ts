/**
 * Packages of comet, read and written without the server's codec: tests that use this client would
 * not see a mistake that both sides share. docs/protocol.md, "Frame".
 */

/** One package, or its JSON form: `body` is a Buffer, or a JSON value (undefined: absent). */
export interface Frame<Body = unknown> {
  readonly ver: number;
  readonly op: number;
  readonly seq: number;
  readonly body: Body;
}

const headerBytes = 16;
/** Far above what the server sends at once; what claims to be larger is something else. */
const packageBytesMax = 67_108_864;

/** int32 package length, int16 header length, int16 version, int32 operation, int32 sequence. */
export function encodePackage({ ver, op, seq, body }: Frame<Uint8Array>): Buffer {
  const bytes = Buffer.alloc(headerBytes + body.length);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeInt16BE(headerBytes, 4);
  bytes.writeInt16BE(ver, 6);
  bytes.writeInt32BE(op, 8);
  bytes.writeInt32BE(seq, 12);
  bytes.set(body, headerBytes);
  return bytes;
}

/** Cuts a stream of bytes into packages. */
export class PackageReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Bytes of a package that has not come whole. */
  get pendingBytes(): number {
    return this.#rest.length;
  }

  /** The packages that are whole now. Throws when the bytes cannot be packages. */
  read(chunk: Uint8Array): Frame<Buffer>[] {
    const bytes = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    const frames: Frame<Buffer>[] = [];
    let at = 0;
    while (bytes.length - at >= headerBytes) {
      const packageLength = bytes.readInt32BE(at);
      const headerLength = bytes.readInt16BE(at + 4);
      const isPackage = headerLength >= headerBytes && headerLength <= packageLength;
      if (!isPackage || packageLength > packageBytesMax) throw new Error('not a package');
      if (bytes.length - at < packageLength) break;
      frames.push({
        ver: bytes.readInt16BE(at + 6),
        op: bytes.readInt32BE(at + 8),
        seq: bytes.readInt32BE(at + 12),
        body: bytes.subarray(at + headerLength, at + packageLength),
      });
      at += packageLength;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }
}

/** Packages that must be whole: a WebSocket message, or the body of op 9. */
export function decodePackages(bytes: Uint8Array): Frame<Buffer>[] {
  const reader = new PackageReader();
  const frames = reader.read(bytes);
  if (reader.pendingBytes > 0) throw new Error('a package is cut off');
  return frames;
}
