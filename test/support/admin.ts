import type { Address } from './server.ts';

export interface AdminAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON; undefined when there was no body. */
  readonly body: unknown;
}

/** One request to an admin port. A body is sent as JSON. */
export async function adminRequest(
  { host, port }: Address,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<AdminAnswer> {
  const response = await fetch(`http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`, {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

/** Creates a group, or replaces its members. */
export async function putGroup(
  server: { readonly adminAddress: Address },
  gid: number,
  members: readonly number[],
): Promise<void> {
  const { status, body } = await adminRequest(server.adminAddress, 'PUT', `/v1/groups/${gid}`, { members });
  if (status !== 200 && status !== 201)
    throw new Error(`PUT group ${gid}: ${status} ${JSON.stringify(body)}`);
}
