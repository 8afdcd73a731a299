/** A programmer error: the invariant named by the message does not hold. Never caught on purpose. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`);
}
