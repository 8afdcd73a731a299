/*
 * Random messaging texts, some of them mutated, are read by parseSections, which must never throw.
 * JSON.parse is the oracle for which messages are good; each of them must be forwarded as it was
 * sent. The good ones then go through a run and come back in notifications within their limits.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeErrors, encodeNotifications, messageIdOf } from '../../src/wire/messaging.ts';
import { parseSections } from '../../src/wire/messaging.ts';
import type { Sections } from '../../src/wire/messaging.ts';
import { nextFrame } from '../../src/wire/run.ts';
import { mutated, pad, randomArray, randomJson, randomObject } from '../support/random-json.ts';
import { seededRandom } from '../support/random.ts';
import type { Random } from '../support/random.ts';
import { messagingRun } from '../support/runs.ts';

const TEXTS = 20_000;

function randomText(random: Random): string {
  const text = pad(
    random,
    randomObject(random, ['send', 'read', 'other'], (key) => {
      if (key === 'other' || random.chance(0.05)) return randomJson(random);
      return randomArray(random, () => randomMessage(random));
    }),
  );
  return random.chance(0.2) ? mutated(random, text) : text;
}

function randomMessage(random: Random): string {
  if (random.chance(0.05)) return randomJson(random);
  return randomObject(random, ['id', 'sid', 'rid', 'id', 'sid', 'rid', 'text'], (key) => {
    if (key === 'text' || random.chance(0.1)) return randomJson(random, 2);
    return random.pick(['1', '"1"', '1.0', '"ann"', '9007199254740993', '"#7"', '1e21', '-2.50']);
  });
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isId = (value: unknown): boolean => (typeof value === 'string' ? value !== '' : Number.isFinite(value));

/** How many messages of a section are good and how many entries of errors it causes. */
function countsOf(section: unknown, isGood: (item: Json) => boolean): [number, number] {
  if (section === undefined) return [0, 0];
  if (!Array.isArray(section)) return [0, 1];
  const good = section.filter((item) => isObject(item) && isGood(item)).length;
  return [good, section.length - good];
}

function check(text: string): Sections {
  const sections = parseSections(text);
  const { send, read, errors } = sections;
  assert(Array.isArray((JSON.parse(encodeErrors(errors)) as Json)['errors']));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (!isObject(value)) {
    assert.deepEqual(sections, { send: [], read: [], errors: [{ code: 'not_json' }] });
    return sections;
  }
  const isSend = (item: Json): boolean => isId(item['id']) && isId(item['sid']) && isId(item['rid']);
  const isRead = (item: Json): boolean =>
    isId(item['id']) && (item['sid'] === undefined || isId(item['sid']));
  const [sends, badSends] = countsOf(value['send'], isSend);
  const [reads, badReads] = countsOf(value['read'], isRead);
  assert.deepEqual([send.length, read.length, errors.length], [sends, reads, badSends + badReads]);
  if (sends > 0) checkRaw(sections, (value['send'] as Json[]).filter(isObject).filter(isSend), text);
  return sections;
}

function checkRaw({ send }: Sections, items: Json[], text: string): void {
  for (const [i, item] of items.entries()) {
    const { raw, idText, sid } = send[i]!;
    assert(text.includes(raw));
    assert.deepEqual(JSON.parse(raw), item);
    // Not assert.equal: it tells 0 from -0, which is the same id.
    assert(JSON.parse(idText) === item['id']);
    assert(typeof item['sid'] === 'string' ? sid === item['sid'] : Number(sid) === item['sid']);
  }
}

function checkNotifications(random: Random, { send }: Sections): void {
  // Text goes through UTF-8: half a character, which only an escape can carry, is not in it.
  const raws = send.map((item) => item.raw);
  const run = messagingRun(...raws);
  const [messagesMax, bytesMax] = [random.int(1, 4), random.int(20, 200)];
  const seen: unknown[] = [];
  for (const text of encodeNotifications([run], messagesMax, bytesMax)) {
    const { messages } = JSON.parse(text) as { messages: unknown[] };
    assert(messages.length >= 1 && messages.length <= messagesMax);
    assert(messages.length === 1 || Buffer.byteLength(text) <= bytesMax);
    seen.push(...messages);
  }
  assert.deepEqual(
    seen,
    raws.map((raw) => JSON.parse(raw) as unknown),
  );
  let at = 0;
  for (const item of send) {
    assert.deepEqual(messageIdOf(run, at), { id: item.id, sid: item.sid });
    at = nextFrame(run.bytes, at);
  }
}

test('A messaging text is read as its rules say, whatever is sent.', () => {
  const random = seededRandom('messaging');
  for (let i = 0; i < TEXTS; i++) {
    const text = randomText(random);
    try {
      const sections = check(text);
      if (sections.send.length > 0) checkNotifications(random, sections);
    } catch (error) {
      console.log(text);
      throw error;
    }
  }
});
