import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { CometTcpClient, CometWebSocketClient, MessagingClient } from '../src/client/index.ts';

/**
 * A chat in the terminal. Two of them, each in its own terminal, are a conversation:
 *
 *   node dist/examples/chat.js --mid 1 --to 2
 *   node dist/examples/chat.js --mid 2 --to 1 --ws
 */
const usage = `usage: chat --mid N (--to N | --group N) [options]
  --ws, --messaging   over a WebSocket: comet, or the messaging protocol; without either: TCP
  --host HOST         default 127.0.0.1
  --port PORT         default 3101, with --ws or --messaging 3102
  --device NAME       a name for this device: what it missed is sent to it next time
  --once TEXT         send one message, wait until the server has it, end
  --listen N          end after N received messages`;

interface Chat {
  readonly send: (text: string) => Promise<string>;
  readonly close: () => Promise<unknown>;
}

interface Line {
  readonly from: string;
  readonly text: string;
}

const { values: flags } = parseArgs({
  options: {
    mid: { type: 'string' },
    to: { type: 'string' },
    group: { type: 'string' },
    ws: { type: 'boolean', default: false },
    messaging: { type: 'boolean', default: false },
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string' },
    device: { type: 'string' },
    once: { type: 'string' },
    listen: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const mid = Number(flags.mid);
const isGroup = flags.group !== undefined;
const peer = Number(flags.group ?? flags.to ?? Number.NaN);
const device = flags.device === undefined ? {} : { device: flags.device };
const address = { host: flags.host, ...(flags.port !== undefined && { port: Number(flags.port) }) };

async function openComet(onLine: (line: Line) => void): Promise<Chat> {
  const who = { ...address, ...device, mid };
  const client = flags.ws ? await CometWebSocketClient.connect(who) : await CometTcpClient.connect(who);
  client.on('message', ({ from, group, to, text }) => {
    onLine({ from: group ? `${from} in ${to}` : `${from}`, text: readable(text) });
  });
  client.on('closed', ({ code, reason }) => ended(code, reason));
  return {
    send: async (text) =>
      `#${isGroup ? await client.sendToGroup(peer, text) : await client.send(peer, text)}`,
    close: () => client.close(),
  };
}

async function openMessaging(onLine: (line: Line) => void): Promise<Chat> {
  const deviceId = flags.device === undefined ? {} : { deviceId: flags.device };
  const client = await MessagingClient.connect({ ...address, ...deviceId, clientId: mid });
  client.on('message', (message) => {
    onLine({ from: String(message.sid), text: String(message['text'] ?? JSON.stringify(message)) });
    client.read(message);
  });
  client.on('notification', ({ errors = [] }) => {
    for (const { error, reason } of errors) console.error(`refused: ${error}: ${reason}`);
  });
  client.on('closed', ({ code, reason }) => ended(code, reason));
  return {
    send: (text) => {
      const id = isGroup ? client.sendToGroup(peer, { text }) : client.send(peer, { text });
      return Promise.resolve(String(id));
    },
    close: () => client.close(),
  };
}

/** A message of the messaging protocol comes to comet as its JSON: show its text alone. */
function readable(content: string): string {
  try {
    const { text } = (JSON.parse(content) ?? {}) as { text?: unknown };
    return typeof text === 'string' ? text : content;
  } catch {
    return content;
  }
}

function ended(code: number, reason: string): void {
  if (code === 1000) return;
  console.error(`the connection ended: ${code} ${reason}`);
  process.exit(1);
}

/** Resolves when as many messages have come as were asked for, or never. */
async function chat(): Promise<void> {
  let left = Number(flags.listen ?? Number.POSITIVE_INFINITY);
  let finish!: () => void;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const onLine = ({ from, text }: Line): void => {
    console.log(`${from}: ${text}`);
    left -= 1;
    if (left === 0) finish();
  };
  const opened = await (flags.messaging ? openMessaging(onLine) : openComet(onLine));
  if (flags.once !== undefined) {
    console.log(`sent ${await opened.send(flags.once)}`);
    if (flags.listen === undefined) finish();
  } else if (flags.listen === undefined) {
    readLines(opened, finish);
  }
  await finished;
  await opened.close();
}

function readLines(opened: Chat, finish: () => void): void {
  console.error(`you are ${mid}, writing to ${isGroup ? 'group ' : ''}${peer}; end with ctrl-d`);
  const sending: Promise<void>[] = [];
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (text) => {
    const sent = opened.send(text).then(
      () => {},
      (error: Error) => console.error(error.message),
    );
    sending.push(sent);
  });
  lines.on('close', () => void Promise.all(sending).then(finish));
}

if (flags.help || !Number.isInteger(mid) || !Number.isInteger(peer)) {
  console.error(usage);
  process.exit(flags.help ? 0 : 2);
}
try {
  await chat();
} catch (error) {
  console.error((error as Error).message || String(error)); // e.g. the server is not running
  process.exit(1);
}
process.exit(0);
