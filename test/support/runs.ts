import { RunBuilder } from '../../src/wire/run-builder.ts';
import { Origin, PayloadKind, numberRun } from '../../src/wire/run.ts';
import type { Run } from '../../src/wire/run.ts';

/** A numbered run between two mids, or with op 20 to a group. */
export function runOf(
  kind: PayloadKind,
  msgs: readonly (string | Buffer)[],
  { op = 18, from = 21, to = 22, first = 1, origin = Origin.comet as Origin } = {},
): Run {
  const builder = new RunBuilder(4096);
  for (const msg of msgs) {
    const bytes = Buffer.from(msg);
    builder.add(op, from, to, bytes, 0, bytes.length);
  }
  const run = builder.finish(kind, origin, 0);
  numberRun(run, first);
  return run;
}

export const textRun = (...msgs: string[]): Run => runOf(PayloadKind.text, msgs);
export const jsonRun = (...msgs: string[]): Run => runOf(PayloadKind.json, msgs);
export const bytesRun = (...msgs: Buffer[]): Run => runOf(PayloadKind.bytes, msgs);

/** Messages that came in as messaging: each the raw text of its object. */
export const messagingRun = (...msgs: string[]): Run =>
  runOf(PayloadKind.json, msgs, { from: 0, to: 0, origin: Origin.messaging });
