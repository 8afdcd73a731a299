import { frameText, messageTexts } from './comet-json-encode.ts';
import { HEADER_BYTES, writeChatId, writeHeader } from './frame.ts';
import { Op } from './op.ts';
import type { Run } from './run.ts';

/** What op 25 answers. */
export interface HistoryPage {
  /** In the order of the reply. */
  readonly runs: readonly Run[];
  /** The newest message of the conversation at the time of reading; 0 if there is none. */
  readonly last: number;
  /** There are messages behind these, in the order of the reply, that were asked for. */
  readonly more: boolean;
}

/** int8 ret, int64 last, int8 more: what stands before the packages. */
const HEAD_BYTES = 10;

/** Op 25 in binary (docs/protocol.md, "Operation 25"). Null: refused, which has no room for the code. */
export function historyFrame(version: number, seq: number, page: HistoryPage | null): Buffer {
  let bytes = HEADER_BYTES + HEAD_BYTES;
  for (const run of page?.runs ?? []) bytes += run.bytes.length;
  const frame = Buffer.allocUnsafe(bytes);
  let at = writeHeader(frame, 0, bytes, version, Op.historyReply, seq);
  frame[at] = page === null ? -1 : 0;
  writeChatId(frame, at + 1, page?.last ?? 0);
  frame[at + 9] = page?.more === true ? 1 : 0;
  at += HEAD_BYTES;
  for (const run of page?.runs ?? []) at += run.bytes.copy(frame, at);
  return frame;
}

/** Op 25 with ret 0 in JSON. */
export function historyText(version: number, seq: number, { runs, last, more }: HistoryPage): string {
  const body = `{"ret":0,"last":${last},"more":${more},"messages":[${messageTexts(runs)}]}`;
  return frameText(Op.historyReply, version, seq, body);
}
