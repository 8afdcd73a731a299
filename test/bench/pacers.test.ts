import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Connection } from '../../bench/load/generator/connection.ts';
import { FanoutPacer, PairsPacer, RatePacer } from '../../bench/load/generator/pacers.ts';

/** A sender that only counts. */
class CountingSender {
  sent = 0;
  inFlight = 0;
  isCongested = false;
  readonly writes: number[] = [];
  publish(count: number): void {
    this.sent += count;
    this.inFlight += count;
    this.writes.push(count);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
const asConnection = (sender: CountingSender): Connection => sender as unknown as Connection;

describe('a window in pairs', () => {
  test('is filled at once, and what was delivered in one turn is sent again in one write', async () => {
    const [first, second] = [new CountingSender(), new CountingSender()];
    const pacer = new PairsPacer([first, second].map(asConnection), 16);
    pacer.start();
    await turn();
    for (let n = 0; n < 5; n++) pacer.delivered(asConnection(first));
    pacer.refused(asConnection(first));
    await turn();
    assert.deepEqual(first.writes, [16, 6]);
    assert.deepEqual(second.writes, [16]);
    pacer.delivered(asConnection(second));
    pacer.stop();
    await turn();
    assert.deepEqual(second.writes, [16]);
  });
});

describe('a window in fan-out', () => {
  test('counts deliveries to all receivers together', async () => {
    const publisher = new CountingSender();
    const pacer = new FanoutPacer(asConnection(publisher), 10, 4);
    pacer.start();
    await turn();
    assert.deepEqual(publisher.writes, [4]);
    pacer.delivered();
    await turn();
    assert.deepEqual(publisher.writes, [4, 1]); // less than the window is undelivered
    for (let n = 0; n < 9; n++) pacer.delivered();
    await turn();
    assert.deepEqual(publisher.writes, [4, 1]);
    for (let n = 0; n < 30; n++) pacer.delivered();
    pacer.refused();
    await turn();
    assert.equal(publisher.sent, 9);
    pacer.stop();
  });
});

describe('a rate', () => {
  test('is shared by the senders in turn, in bursts; a congested one is left out', async () => {
    const senders = [new CountingSender(), new CountingSender()];
    senders[1]!.isCongested = true;
    const pacer = new RatePacer(senders.map(asConnection), 16_000, 8);
    pacer.start();
    while (senders[0]!.writes.length < 5) await turn();
    pacer.stop();
    assert.ok(senders[0]!.writes.every((count) => count === 8));
    assert.deepEqual(senders[1]!.writes, []);
  });

  test('what a generator that was held up could not send in time is not all sent at once', async (context) => {
    const now = context.mock.method(performance, 'now', () => 0);
    const sender = new CountingSender();
    const pacer = new RatePacer([asConnection(sender)], 1_000, 1);
    pacer.start();
    now.mock.mockImplementation(() => 60_000);
    pacer.delivered();
    await turn();
    pacer.stop();
    assert.equal(sender.sent, 1_000); // of one second, not of sixty
  });
});
