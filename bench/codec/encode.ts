import { Packr } from 'msgpackr';
import { batchByteLength, writeBatch } from '../../src/wire/comet-binary.ts';
import { Origin, PayloadKind } from '../../src/wire/run.ts';
import type { Group } from './case.ts';
import { messageObjects, messageRuns, MESSAGES, payload } from './messages.ts';

const one = messageRuns(1, PayloadKind.text, payload, Origin.comet);
const many = messageRuns(MESSAGES, PayloadKind.text, payload, Origin.comet);
const out = Buffer.alloc(batchByteLength(one));
const objects = messageObjects(payload);
const packr = new Packr({ useRecords: false });
const baseline = 'msgpackr';

export const encoding: Group = {
  title: 'encoding op 9 with 100 messages, binary',
  cases: [
    {
      name: baseline,
      messages: MESSAGES,
      bytes: packr.pack(objects).length,
      run: () => void packr.pack(objects),
    },
    {
      name: 'of one run',
      baseline,
      messages: MESSAGES,
      bytes: out.length,
      run: () => void writeBatch(out, 0, one),
    },
    {
      name: 'of 100 runs',
      baseline,
      messages: MESSAGES,
      bytes: out.length,
      run: () => void writeBatch(out, 0, many),
    },
  ],
};
