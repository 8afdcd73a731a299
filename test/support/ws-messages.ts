import assert from 'node:assert/strict';
import { eachWsMessage } from '../../src/wire/ws-frame.ts';

/** The texts of a write to a WebSocket. */
export function textsIn(bytes: Buffer): string[] {
  const texts: string[] = [];
  eachWsMessage(bytes, (payload, isText) => {
    assert.equal(isText, true);
    texts.push(payload.toString());
  });
  return texts;
}
