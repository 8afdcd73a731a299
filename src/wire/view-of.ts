/*
 * Four bytes at once: a DataView reads and writes an int32 in a third of the time that four bytes
 * take (docs/performance.md). Making one costs as much as a whole message, so the last is kept:
 * all packages of a slab are read through the same.
 */
let viewed: Uint8Array | undefined;
let view: DataView = new DataView(new ArrayBuffer(0));

/** The view of a buffer. Offsets in it are those of the buffer. */
export function viewOf(buf: Uint8Array): DataView {
  if (buf === viewed) return view;
  viewed = buf;
  view = new DataView(buf.buffer, buf.byteOffset, buf.byteLength);
  return view;
}
