import { limits } from '../../src/limits.ts';
import { encodeBatch, parseRequest } from '../../src/wire/comet-json.ts';
import { encodeNotifications, parseSections } from '../../src/wire/messaging.ts';
import { Op } from '../../src/wire/op.ts';
import { Origin, PayloadKind, type Run } from '../../src/wire/run.ts';
import type { Case, Group } from './case.ts';
import { FROM, messageObjects, messageRuns, MESSAGES, payload, text, TO } from './messages.ts';

const SENT = 10;

/** Reading a text of so many messages, beside JSON.parse of it. */
function reading(name: string, value: unknown, messages: number, parse: (json: string) => unknown): Case[] {
  const json = JSON.stringify(value);
  const baseline = `JSON.parse of ${name}`;
  const texts = MESSAGES / messages;
  const bytes = texts * json.length;
  const all = (read: (json: string) => unknown) => (): void => {
    for (let i = 0; i < texts; i++) read(json);
  };
  return [
    { name: baseline, messages: MESSAGES, bytes, run: all(JSON.parse) },
    { name, baseline, messages: MESSAGES, bytes, run: all(parse) },
  ];
}

// Strings are made of parts until they are read: writing them into a buffer is a part of what they cost.
const out = Buffer.alloc(1 << 16);

/** Writing messages that lie in runs, beside JSON.stringify of an object with the same content. */
function writing(name: string, value: unknown, encode: () => readonly string[]): Case[] {
  const baseline = `JSON.stringify of ${name}`;
  const write = (texts: readonly string[]): number => texts.reduce((bytes, one) => bytes + out.write(one), 0);
  const stringify = (): number => out.write(JSON.stringify(value));
  return [
    { name: baseline, messages: MESSAGES, bytes: stringify(), run: () => void stringify() },
    { name, baseline, messages: MESSAGES, bytes: write(encode()), run: () => void write(encode()) },
  ];
}

const request = (msg: unknown): unknown => ({
  ver: 1,
  op: Op.send,
  seq: 7,
  body: { from: FROM, to: TO, msg },
});
const send = Array.from({ length: SENT }, (_, id) => ({ id, sid: FROM, rid: TO, text }));

const comet = messageRuns(MESSAGES, PayloadKind.text, payload, Origin.comet);
const raw = Buffer.from(JSON.stringify({ id: 'm-123456', sid: FROM, rid: TO, text }));
const messaging = messageRuns(MESSAGES, PayloadKind.json, raw, Origin.messaging);
const notifications = (runs: Run[]): readonly string[] =>
  encodeNotifications(runs, limits.notificationMessagesMax, limits.notificationBytesMax);

const batch = {
  ver: 1,
  op: Op.batch,
  seq: 0,
  body: messageObjects(text).map(({ op, ...body }) => ({ ver: 1, op, seq: 0, body })),
};

/** A notification as it is: objects of what was written. */
const notification: unknown = JSON.parse(notifications(messaging)[0]!);
const cometNotification: unknown = JSON.parse(notifications(comet)[0]!);

export const json: Group = {
  title: 'JSON',
  cases: [
    ...reading('comet op 18, msg a text', request(text), 1, parseRequest),
    ...reading('comet op 18, msg an object', request({ text }), 1, parseRequest),
    ...reading('messaging, send of 10', { send }, SENT, parseSections),
    ...writing('comet op 9 with 100', batch, () => [encodeBatch(comet)]),
    ...writing('messaging, 100 forwarded', notification, () => notifications(messaging)),
    ...writing('messaging, 100 from comet', cometNotification, () => notifications(comet)),
  ],
};
