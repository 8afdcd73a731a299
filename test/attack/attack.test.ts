import assert from 'node:assert/strict';
import { once } from 'node:events';
import { before, describe, test } from 'node:test';
import { Arena } from '../support/attack/arena.ts';
import { attack, type AttackReport } from '../support/attack/attack.ts';
import { connectTcp } from '../support/clients.ts';
import { seededRandom } from '../support/random.ts';
import { startTestServer } from '../support/server.ts';
import { memoryGrowthMbMax, small } from '../support/attack/sizes.ts';

/** All of it at once, as it is in the open; `npm run test:attack` is the same at full size. */
describe('under attack', { timeout: 120_000 }, () => {
  let report: AttackReport;
  before(async () => {
    report = await attack(small);
    console.log(JSON.stringify({ ...report, complaints: report.complaints.length }));
  });

  test('each abuse ends with its documented code', () => {
    assert.deepEqual(report.failures, []);
  });

  test('no message of well-behaved users is lost, repeated or late for its turn, none of them is closed', () => {
    assert.deepEqual(report.users.problems, []);
    assert.ok(report.users.sent > small.users, `${report.users.sent} were sent`);
    assert.equal(report.users.received, report.users.sent);
  });

  test('no byte of others reaches an attacker', () => {
    assert.ok(report.receivedBytes > 0);
    assert.equal(report.leaks, 0);
  });

  test('the server needs little more memory, complains about nothing and stops in good order', () => {
    const { beforeMb, peakMb } = report.memory;
    assert.ok(peakMb - beforeMb <= memoryGrowthMbMax, JSON.stringify(report.memory));
    assert.deepEqual(report.complaints, []);
    assert.equal(report.exitCode, 0);
  });
});

test('the eye on what attackers get sees bytes of others, also when they come in pieces', async () => {
  const server = await startTestServer();
  try {
    const canary = 'canary-in-a-test';
    const { tcpAddress: tcp, httpAddress: http, adminAddress: admin } = server;
    const ports = { tcp, http, admin, tlsTcp: tcp, tlsHttp: http };
    const limits = { addressConnectionsMax: 0, connectionsMax: 0, burst: 0 };
    const arena = new Arena(ports, small.size, seededRandom('eye'), limits, {
      gid: 7,
      canary,
      adminToken: '',
    });
    const sender = await connectTcp(server, 1);
    const webSocket = await arena.enterWebSocket('http', 'json', 2);
    const socket = await arena.enter('tcp', 2);
    assert.equal(arena.leaks, 0);
    const heard = once(webSocket, 'message');
    await sender.send(2, `${'x'.repeat(60_000)} ${canary}`);
    await Promise.all([heard, socket.heardOf(canary)]);
    assert.equal(arena.leaks, 2);
  } finally {
    await server.close();
  }
});
