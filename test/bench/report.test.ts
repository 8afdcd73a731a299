import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chart } from '../../bench/load/chart.ts';
import { growth, isFlat } from '../../bench/load/flat.ts';
import type { Figures } from '../../bench/load/generator/job.ts';
import { peerNamed } from '../../bench/load/peers/all.ts';
import { Results } from '../../bench/load/results.ts';
import { median, medianRatio } from '../../bench/load/stats.ts';
import { workTable } from '../../bench/load/table.ts';
import { isMet, measured, targets, targetsTable } from '../../bench/load/targets.ts';
import { works } from '../../bench/load/work.ts';

const work = works.find(({ name }) => name === 'fanout-64')!;
const peers = ['encke-always', 'nats'].map(peerNamed);

/** Rounds of both servers, in turn. */
function resultsOf(...rounds: readonly (readonly [encke: Figures, nats: Figures])[]): Results {
  const results = new Results();
  for (const [encke, nats] of rounds) {
    results.add(work.name, 'encke-always', encke);
    results.add(work.name, 'nats', nats);
  }
  return results;
}

describe('statistics', () => {
  test('the median is the middle, or between the two middle ones', () => {
    assert.equal(median([9, 1, 2]), 2);
    assert.equal(median([1, 2, 4, 100]), 3);
    assert.ok(Number.isNaN(median([])));
  });

  test('a ratio is the median of the ratios of each round, so that a slow round counts as one', () => {
    assert.equal(medianRatio([10, 1, 12], [5, 0.5, 4]), 2);
    const results = resultsOf(
      [{ cpuMicros: 1 }, { cpuMicros: 2 }],
      [{ cpuMicros: 50 }, { cpuMicros: 100 }],
      [{ cpuMicros: 3 }, { cpuMicros: 1 }],
    );
    assert.equal(results.median(work.name, 'encke-always', 'cpuMicros'), 3);
    assert.equal(results.ratio(work.name, 'encke-always', 'nats', 'cpuMicros'), 0.5);
    assert.equal(results.ratio(work.name, 'encke-always', 'nats', 'p50Ms'), undefined);
    assert.equal(results.ratio(work.name, 'encke-always', 'mosquitto', 'cpuMicros'), undefined);
  });
});

describe('the table of a work', () => {
  const figures = { deliveriesPerSecond: 4_000_000, cpuMicros: 0.25, missing: 0, repeated: 0 };

  test('has a line for each server that was measured, ratios of the first that is not Encke', () => {
    const table = workTable(
      work,
      [...peers, peerNamed('mosquitto')],
      resultsOf([figures, { ...figures, deliveriesPerSecond: 1_000_000 }]),
    );
    const lines = table.split('\n').filter((line) => line.startsWith('|'));
    assert.equal(lines.length, 4);
    assert.match(lines[0]!, /deliveries\/s \| of NATS/);
    assert.match(lines[2]!, /^\| Encke, always \| 4,000,000 \| 4\.00 × \| 0\.25 \| 1\.00 ×/);
    assert.match(lines[2]!, /\| 0 \|$/);
    assert.match(lines[3]!, /^\| NATS \| 1,000,000 \| 1\.00 ×/);
  });

  test('says what was lost or doubled, in all rounds together, and such a server is not sound', () => {
    const results = resultsOf(
      [{ ...figures, missing: 2, repeated: 1 }, figures],
      [{ ...figures, missing: 1 }, figures],
    );
    assert.match(workTable(work, peers, results), /\| 3 lost, 1 doubled or late \|/);
    assert.equal(results.isSound(work.name, 'encke-always'), false);
    assert.equal(results.isSound(work.name, 'nats'), true);
  });

  test('says why a round failed', () => {
    const results = resultsOf([figures, figures]);
    results.addFailure(work.name, 'nats', 'connection 7: the server closed it');
    assert.match(workTable(work, peers, results), /NATS failed in a round of `fanout-64`: connection 7/);
    assert.equal(results.isSound(work.name, 'nats'), false);
  });
});

describe('targets', () => {
  test('only those whose work was run are shown, met or missed', () => {
    const encke = { deliveriesPerSecond: 5_000, cpuMicros: 3 };
    const table = targetsTable(resultsOf([encke, { deliveriesPerSecond: 1_000, cpuMicros: 10 }]));
    const lines = table.split('\n').slice(4);
    assert.deepEqual(lines, [
      '| fan-out, window 64: deliveries/s | ≥ 4 × NATS | 5.00 × | met |',
      '| fan-out, window 64: CPU | ≤ 0.25 × NATS | 0.30 × | missed |',
    ]);
    assert.equal(targetsTable(new Results()), '');
  });

  test('a limit itself is met', () => {
    const [most, least] = [
      targets.find(({ atLeast }) => atLeast !== true)!,
      targets.find(({ atLeast }) => atLeast)!,
    ];
    assert.deepEqual([isMet(most, most.limit), isMet(most, most.limit + 0.01)], [true, false]);
    assert.deepEqual([isMet(least, least.limit), isMet(least, least.limit - 0.01)], [true, false]);
  });

  test('each names a work that is run without flags, and servers that it is put on', () => {
    for (const { work: name, server, other } of targets) {
      const its = works.find((one) => one.name === name);
      assert.ok(its?.usual, name);
      assert.ok(its.servers.includes(server), `${name} ${server}`);
      if (other !== undefined && 'server' in other) assert.ok(its.servers.includes(other.server), name);
    }
  });

  test('the cost of a delivery among many is compared with that among few', () => {
    const results = new Results();
    results.add('fanout-to-100', 'encke-always', { cpuMicros: 0.2 });
    results.add('fanout-to-10000', 'encke-always', { cpuMicros: 0.25 });
    const target = targets.find(({ work: name }) => name === 'fanout-to-10000')!;
    assert.equal(measured(target, results), 1.25);
  });
});

test('every work is put on servers that there are and that speak over its transport', () => {
  for (const { name, servers, transport } of works)
    for (const server of servers) assert.ok(peerNamed(server).protocols[transport] !== undefined, name);
  assert.equal(new Set(works.map(({ name }) => name)).size, works.length);
});

test('the chart is SVG with the works and servers that were measured', () => {
  const figures = { deliveriesPerSecond: 1_000, cpuMicros: 1 };
  const svg = chart(works, [...peers, peerNamed('mosquitto')], resultsOf([figures, figures]))!;
  assert.match(svg, /^<svg /);
  for (const text of ['fanout-64', 'Encke, always', 'NATS']) assert.ok(svg.includes(text), text);
  for (const text of ['pairs-16', 'Mosquitto']) assert.ok(!svg.includes(text), text);
  assert.equal(chart(works, peers, new Results()), undefined);
});

describe('flat memory', () => {
  const samples = (own: (i: number) => number): { seconds: number; ownMb: number; residentMb: number }[] =>
    Array.from({ length: 40 }, (_, i) => ({ seconds: i + 1, ownMb: own(i), residentMb: 0 }));

  test('what a server needs once it is warm does not count, what it goes on needing does', () => {
    assert.equal(growth(samples((i) => (i < 10 ? i * 10 : 100))), 1);
    assert.ok(isFlat(samples((i) => (i < 10 ? i : 100 + (i % 5)))));
    assert.ok(!isFlat(samples((i) => 100 + i)));
    assert.ok(!isFlat([]));
  });
});
