/** Server processes that are killed while a receiver is away, slow or there, and started again. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { CometClient } from '../../src/client/index.ts';
import { inspect } from '../../src/store/disk/inspect.ts';
import { putGroup } from '../support/admin.ts';
import { connectTcp } from '../support/clients.ts';
import { temporaryDir } from '../support/disk.ts';
import { until } from '../support/messaging.ts';
import { Receiver } from '../support/receiver.ts';
import { spawnDiskServer, type SpawnedServer } from '../support/server.ts';

const GROUP = 77;
/** Their owners are spread over any number of workers. */
const MIDS = [101, 102, 103, 104, 105, 106];

async function start(
  t: TestContext,
  dir: string,
  receiver: Receiver,
  workers: number,
): Promise<SpawnedServer> {
  const more = ['--webhook', receiver.url, '--webhook-secret', 'only-a-test', '--log-level', 'fatal'];
  const server = await spawnDiskServer(dir, ['--workers', String(workers), ...more]);
  t.after(() => void server.child.kill('SIGKILL'));
  return server;
}

/** What was answered, by conversation: the highest chatId. */
class Talk {
  readonly acknowledged = new Map<string, number>();

  /** Everybody sends `count` messages to the next, to himself and to the group. */
  async round(server: SpawnedServer, count: number): Promise<void> {
    const clients = await Promise.all(MIDS.map((mid) => connectTcp(server, mid)));
    await Promise.all(clients.map((client, i) => this.#talk(client, i, count)));
    // They do not leave: the server is killed.
  }

  /** The same until somebody ends it. */
  async untilKilled(server: SpawnedServer): Promise<void> {
    await this.round(server, Infinity).catch(() => {});
  }

  get total(): number {
    return [...this.acknowledged.values()].reduce((sum, last) => sum + last, 0);
  }

  async #talk(client: CometClient, i: number, count: number): Promise<void> {
    const mid = MIDS[i]!;
    const next = MIDS[(i + 1) % MIDS.length]!;
    for (let n = 0; n < count; n++) {
      const [pair, self, group] = await Promise.all([
        client.send(next, `${mid} ${n}`),
        client.send(mid, `${mid} ${n}`),
        client.sendToGroup(GROUP, `${mid} ${n}`),
      ]);
      this.#note(`${Math.min(mid, next)} ${Math.max(mid, next)}`, pair);
      this.#note(`${mid} ${mid}`, self);
      this.#note(`#${GROUP}`, group);
    }
  }

  #note(key: string, chatId: number): void {
    this.acknowledged.set(key, Math.max(chatId, this.acknowledged.get(key) ?? 0));
  }
}

/** The chatIds of each conversation in the order in which they first came. */
function numbersOf(receiver: Receiver): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const { from, to, group, chatId } of receiver.eventsOf('message')) {
    const [low, high] = [Math.min(Number(from), Number(to)), Math.max(Number(from), Number(to))];
    const key = group === undefined ? `${low} ${high}` : `#${String(group)}`;
    numbers.set(key, [...(numbers.get(key) ?? []), Number(chatId)]);
  }
  return numbers;
}

const isComplete = (receiver: Receiver, { acknowledged }: Talk): boolean => {
  const numbers = numbersOf(receiver);
  return [...acknowledged].every(([key, last]) => (numbers.get(key)?.length ?? 0) >= last);
};

test('Killed again and again, with other numbers of workers, it posts every message that was answered, in order.', async (t) => {
  const dir = join(temporaryDir(t), 'data');
  const receiver = await Receiver.start(t);
  const talk = new Talk();

  // Away: two runs with different numbers of workers leave everything in the log.
  await receiver.close();
  const first = await start(t, dir, receiver, 3);
  await putGroup(first, GROUP, MIDS);
  await talk.round(first, 20);
  await first.stop('SIGKILL');
  const second = await start(t, dir, receiver, 1);
  await talk.round(second, 20);
  await second.stop('SIGKILL');

  // It takes some and then fails, and the server is killed in the middle of it.
  await receiver.open();
  receiver.answer = () => (receiver.requests.length <= 2 ? 200 : 500);
  const third = await start(t, dir, receiver, 4);
  await until(() => receiver.requests.length >= 3, 'some of it was taken');
  const [before, talking] = [talk.total, talk.untilKilled(third)];
  await until(() => talk.total - before >= 300, 'there is talk');
  await third.stop('SIGKILL');
  await talking;
  assert.equal(isComplete(receiver, talk), false, 'there is something left');

  receiver.answer = () => 200;
  const fourth = await start(t, dir, receiver, 2);
  await talk.round(fourth, 20);
  await until(() => isComplete(receiver, talk), 'all that was answered', 30_000);

  for (const [key, numbers] of numbersOf(receiver)) {
    const dense = Array.from({ length: numbers.length }, (_none, i) => i + 1);
    assert.deepEqual(numbers, dense, key);
  }
  assert.deepEqual(receiver.eventsOf('lost'), []);
  assert.equal(receiver.eventsOf('group').length, 1);
  assert.ok(receiver.eventsOf('restarted').length >= 6, 'each start tells it of each shard before');
  await fourth.stop();
  const { damages, messages } = await inspect(dir, 0);
  assert.deepEqual(damages, []);
  assert.equal(receiver.eventsOf('message').length, messages, 'also what was stored and not answered');
  assert.ok(messages >= talk.total);
});
