import { jsonEncoding } from '../../../src/client/encoding-json.ts';
import { connectWebSocket } from '../clients.ts';
import { startTestServer } from '../server.ts';

const acknowledge = 22;

/** Whether this version has acknowledging devices, and messaging that says what it accepted. */
export async function hasReceipts(): Promise<boolean> {
  const server = await startTestServer({ workers: 1 });
  try {
    const client = await connectWebSocket(server, 1);
    client.sendFrame({ ver: 1, op: acknowledge, seq: 1, body: {} });
    const { error } = jsonEncoding.reply(await client.nextFrame());
    await client.close();
    return error !== 'unknown_operation';
  } finally {
    await server.close();
  }
}
