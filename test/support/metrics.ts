import assert from 'node:assert/strict';
import type { Address } from './server.ts';

export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One answer of GET /metrics. */
export class Scrape {
  readonly text: string;
  readonly series: readonly Series[];
  /** By name: `counter`, `gauge` or `histogram`. */
  readonly types: ReadonlyMap<string, string>;

  constructor(text: string) {
    this.text = text;
    const lines = text.split('\n').filter((line) => line !== '');
    this.types = new Map(
      lines.flatMap((line) => {
        const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
        return name === undefined || type === undefined ? [] : [[name, type] as const];
      }),
    );
    this.series = lines.filter((line) => !line.startsWith('#')).map(readSeries);
  }

  /** All series of a metric with these labels, added up. There is one at least. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const found = this.series.filter(
      (one) =>
        one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value),
    );
    assert.notEqual(found.length, 0, `there is ${name} ${JSON.stringify(labels)}`);
    return found.reduce((sum, { value }) => sum + value, 0);
  }
}

function readSeries(line: string): Series {
  const [, name = '', labels = '', value = ''] =
    /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? ([-+0-9.eE]+|NaN|\+Inf)$/.exec(line) ?? [];
  assert.notEqual(name, '', `this is a series: ${line}`);
  const pairs = [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text]);
  return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) };
}

export async function scrape({ adminAddress: { host, port } }: { adminAddress: Address }): Promise<Scrape> {
  const response = await fetch(`http://${host}:${port}/metrics`);
  assert.equal(response.status, 200);
  return new Scrape(await response.text());
}
