import { parseArgs } from 'node:util';
import { peers } from './peers/all.ts';
import { works, type Work } from './work.ts';

export interface Options {
  readonly works: readonly Work[];
  /** Names of servers; those of each work if undefined. */
  readonly servers: readonly string[] | undefined;
  readonly rounds: number;
  /** Of each measurement. Undefined: as it is usual. */
  readonly seconds: number | undefined;
  readonly flat: boolean;
  /** Where the results are written; none if it is `-`. */
  readonly out: string;
}

const ROUNDS = 3;
export const SECONDS = 2.5;

export const usage = `npm run bench:load -- [flags]

  --all             all work; without it a part that takes less than ten minutes
  --only A,B        this work
  --servers A,B     these servers
  --rounds N        how often (${ROUNDS})
  --seconds N       how long each measurement is (${SECONDS})
  --flat            instead: memory under half of the peak load, for ten minutes or --seconds
  --out DIR         where the tables and the chart are written (bench/results); - for nowhere

work:     ${works.map(({ name }) => name).join(', ')}
servers:  ${peers.map(({ name }) => name).join(', ')}
`;

/** Throws an error whose message is one line when a flag is unknown or its value bad. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      all: { type: 'boolean', default: false },
      only: { type: 'string' },
      servers: { type: 'string' },
      rounds: { type: 'string', default: String(ROUNDS) },
      seconds: { type: 'string' },
      flat: { type: 'boolean', default: false },
      out: { type: 'string', default: 'bench/results' },
    },
  });
  return {
    works: chosenWorks(values.all, values.only),
    servers: values.servers === undefined ? undefined : namesIn(values.servers, peers, 'server'),
    rounds: positive('--rounds', values.rounds),
    seconds: values.seconds === undefined ? undefined : positive('--seconds', values.seconds),
    flat: values.flat,
    out: values.out,
  };
}

function chosenWorks(all: boolean, only: string | undefined): readonly Work[] {
  if (only === undefined) return works.filter(({ usual }) => all || usual);
  const names = namesIn(only, works, 'work');
  return works.filter(({ name }) => names.includes(name));
}

function namesIn(list: string, known: readonly { readonly name: string }[], what: string): readonly string[] {
  const names = list.split(',');
  const unknown = names.find((name) => !known.some((one) => one.name === name));
  if (unknown !== undefined) throw new Error(`there is no ${what} ${unknown}`);
  return names;
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${flag} needs a number over 0`);
  return value;
}
