export interface Reply {
  readonly status: number;
  readonly text: string;
}

/**
 * One HTTP exchange with a reply of at most `bytesMax` bytes, whatever the other side says about its
 * length. Redirects are not followed: credentials go where the operator said. Rejects on a longer
 * reply, on a failure, and when the signal aborts.
 */
export async function fetchBounded(
  url: string,
  init: Omit<RequestInit, 'redirect'>,
  bytesMax: number,
): Promise<Reply> {
  const response = await fetch(url, { ...init, redirect: 'manual' });
  const { status, body } = response;
  if (status < 200 || status > 599 || body === null) {
    await body?.cancel();
    return { status, text: '' };
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop early cancels the rest.
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`a reply of over ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return { status, text: Buffer.concat(chunks).toString() };
}
