import { Op } from '../../src/wire/op.ts';
import { RunBuilder } from '../../src/wire/run-builder.ts';
import { numberRun, type Origin, type PayloadKind, type Run } from '../../src/wire/run.ts';

/** Messages of one operation. */
export const MESSAGES = 100;
export const FROM = 21;
export const TO = 22;
const FIRST_CHAT_ID = 1_000;

export const text = 'a message of sixty-four bytes, which is what the others measure.';
export const payload = Buffer.from(text);

/** `runs` runs with MESSAGES messages in all. */
export function messageRuns(runs: number, kind: PayloadKind, msg: Buffer, origin: Origin): Run[] {
  const builder = new RunBuilder();
  return Array.from({ length: runs }, () => {
    for (let n = 0; n < MESSAGES / runs; n++) builder.add(Op.send, FROM, TO, msg, 0, msg.length);
    const run = builder.finish(kind, origin, Date.now());
    numberRun(run, FIRST_CHAT_ID);
    return run;
  });
}

/** The same messages as objects, for the encoders of others. */
export const messageObjects = <T>(
  msg: T,
): { op: number; chatId: number; from: number; to: number; msg: T }[] =>
  Array.from({ length: MESSAGES }, (_, i) => ({
    op: Op.send,
    chatId: FIRST_CHAT_ID + i,
    from: FROM,
    to: TO,
    msg,
  }));
