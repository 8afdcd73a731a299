import { isGroup, type Conversation } from '../store/conversation.ts';
import { msgText } from '../wire/comet-json-encode.ts';
import { messageIdOf } from '../wire/messaging.ts';
import { jsonString } from '../wire/payload-json.ts';
import { frameChatId, frameFrom, frameMsgStart, nextFrame, Origin, type Run } from '../wire/run.ts';
import { parseClientId, SYSTEM, type UserId } from '../wire/user-id.ts';

// Texts are put together by hand: every part is a number, a name of ours, or escaped already.
// docs/webhooks.md, "Events" has them all.

export const userText = (user: UserId): string =>
  typeof user === 'number' ? String(user) : jsonString(user);

/**
 * Equal for the same event, whenever it is posted. Numbers of the memory store begin anew with its
 * process, so the time of the run belongs to it.
 */
const idText = (key: string, numbers: number | string, time: number): string =>
  jsonString(`${key}:${numbers}@${time}`);

/** `sender` and receiver of a message, as members. */
function betweenText(conversation: Conversation, from: UserId): string {
  if (isGroup(conversation)) return `"from":${userText(from)},"group":${conversation.group}`;
  const { low, high } = conversation;
  return `"from":${userText(from)},"to":${userText(low === from ? high : low)}`;
}

/** Frames have room for mids only: a string client is named in the message itself. */
function senderOf(run: Run, at: number): UserId {
  const from = frameFrom(run.bytes, at);
  return from > 0 ? from : (parseClientId(messageIdOf(run, at).sid) ?? SYSTEM);
}

/** The message whose package is at `at` of the run. */
export function messageEvent(conversation: Conversation, run: Run, at: number): string {
  const { bytes, origin, kind, time } = run;
  const chatId = frameChatId(bytes, at);
  const msg = msgText(bytes, frameMsgStart(bytes, at), nextFrame(bytes, at), kind);
  return (
    `{"id":${idText(conversation.key, chatId, time)},"type":"message","chatId":${chatId},` +
    `${betweenText(conversation, senderOf(run, at))},"time":${time},` +
    `"protocol":"${origin === Origin.messaging ? 'messaging' : 'comet'}","msg":${msg}}`
  );
}

/** Messages first..last that retention, or the bound of the memory store, has removed. */
export function removedEvent(conversation: Conversation, first: number, last: number, time: number): string {
  const where = isGroup(conversation)
    ? `"group":${conversation.group}`
    : `"users":[${userText(conversation.low)},${userText(conversation.high)}]`;
  const id = idText(conversation.key, `${first}-${last}`, time);
  return `{"id":${id},"type":"removed",${where},"first":${first},"last":${last}}`;
}

/** Record `number` of an event log, which was written at `time`. */
export const logEvent = (logKey: string, number: number, time: number, members: string): string =>
  `{"id":${idText(logKey, number, time)},${members}}`;

/** Records first..last of an event log that were given up; `time` is that of the next one. */
export const lostEvent = (logKey: string, first: number, last: number, time: number): string =>
  `{"id":${idText(logKey, `${first}-${last}`, time)},"type":"lost","records":${last - first + 1}}`;
