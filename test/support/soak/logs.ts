import type { CometClient } from '../../../src/client/index.ts';
import { cometKinds, connectComet } from '../clients.ts';
import { Reading } from '../history/reading.ts';
import { identify } from './comet-wire.ts';
import { cometUsers, nameOf, type SoakConversation, type SoakUser } from './plan.ts';
import type { Run } from './run.ts';

const timeoutMs = 45_000;
/** Readers at once. */
const readersMax = 4;

/** Each conversation with a mid is read whole from the log once more, from both of its ends. */
export async function readLogs(run: Run): Promise<void> {
  const tasks = new Map<SoakUser, SoakConversation[]>();
  for (const conversation of run.plan.conversations) {
    const [user] = cometUsers(conversation);
    if (user === undefined) continue;
    const conversations = tasks.get(user);
    if (conversations === undefined) tasks.set(user, [conversation]);
    else conversations.push(conversation);
  }
  const rest = [...tasks];
  const work = async (): Promise<void> => {
    for (let task = rest.pop(); task !== undefined; task = rest.pop()) await readAs(run, ...task);
  };
  await Promise.all(Array.from({ length: readersMax }, work));
}

async function readAs(run: Run, user: SoakUser, conversations: SoakConversation[]): Promise<void> {
  const kind = run.random.pick(cometKinds);
  const client = await connectComet(kind, run.server, Number(user.id), { timeoutMs, device: 'reader' });
  try {
    for (const conversation of conversations) {
      await readAll(run, client, user, conversation, 'oldest');
      await readAll(run, client, user, conversation, 'newest');
    }
  } finally {
    await client.close();
  }
}

async function readAll(
  run: Run,
  client: CometClient,
  user: SoakUser,
  conversation: SoakConversation,
  order: 'oldest' | 'newest',
): Promise<void> {
  const name = nameOf(conversation, user);
  const { index } = conversation;
  const reading = new Reading(run.history, index, order === 'oldest', `reader of ${user.id}`);
  for (;;) {
    const from =
      reading.last === 0 ? {} : order === 'oldest' ? { after: reading.last } : { before: reading.last };
    // The largest pages most of the time, and all others.
    const limit = run.random.chance(0.9) ? 256 : run.random.int(1, 256);
    const { messages, more } = await client.history(name, { ...from, limit, order });
    for (const message of messages) {
      const found = identify(run, message);
      reading.take(found.conversation === index ? found.serial : -1, message.chatId);
      run.counts.logged += 1;
    }
    if (!more) break;
    if (messages.length === 0)
      throw new Error(`an empty page of ${JSON.stringify(name)} says that there is more`);
  }
  reading.end();
}
