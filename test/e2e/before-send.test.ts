/** A server in this process that asks a hook about each message. */
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { Server, ServerOptions } from '../../src/server.ts';
import type { BeforeSendOptions, WebhookOptions } from '../../src/webhook/options.ts';
import { putGroup } from '../support/admin.ts';
import { Wire } from '../support/comet.ts';
import { connectMessaging, connectTcp } from '../support/clients.ts';
import { until } from '../support/messaging.ts';
import { Receiver, signatureOf, type Answer, type Received } from '../support/receiver.ts';
import { startTestServer } from '../support/server.ts';

interface Question {
  readonly from: unknown;
  readonly to?: unknown;
  readonly group?: unknown;
  readonly protocol: string;
  readonly msg: unknown;
}

const questionsOf = ({ body }: Received): Question[] =>
  (JSON.parse(body) as { messages: Question[] }).messages;

/** Answers by what is in the message. */
const judge =
  (decide: (question: Question) => unknown): Answer =>
  (received, response) => {
    response.end(JSON.stringify({ messages: questionsOf(received).map(decide) }));
    return undefined;
  };

const textOf = ({ msg }: Question): string =>
  typeof msg === 'string' ? msg : String((msg as { text: unknown }).text);

/** Refuses what is `bad`, replaces what is `rude`. */
const judgement = judge((question) => {
  const text = textOf(question);
  if (text.startsWith('bad')) return { refuse: 'not with us' };
  if (!text.startsWith('rude')) return {};
  return { msg: question.protocol === 'comet' ? '***' : { id: 'mine', text: '***', n: 1.0 } };
});

async function start(
  t: TestContext,
  hook: Receiver,
  more: Partial<BeforeSendOptions> = {},
  bounds: WebhookOptions['bounds'] = {},
  options: Partial<ServerOptions> = {},
): Promise<Server> {
  const beforeSend = { url: hook.url, timeoutMs: 5_000, whenDown: 'refuse' as const, ...more };
  const server = await startTestServer({
    webhooks: { secrets: ['s'], beforeSend, bounds: { beforeSendRetryMs: 20, ...bounds } },
    ...options,
  });
  t.after(() => server.close());
  return server;
}

describe('before_send', { concurrency: false }, () => {
  test('In comet it refuses with forbidden, replaces msg, and lets the rest through, in order.', async (t) => {
    const hook = await Receiver.start(t);
    hook.answer = judgement;
    const server = await start(t, hook);
    await putGroup(server, 7, [21, 31]);
    const receiver = await Wire.connect('ws-json', server, 31);
    for (const kind of ['ws-json', 'tcp'] as const) {
      const sender = await Wire.connect(kind, server, 21);
      const texts = ['one', 'two', 'bad three', 'rude four', 'five', 'bad six'];
      texts.forEach((text, i) => sender.message(18, 10 + i, 31, text));
      sender.message(20, 16, 7, 'rude seven');
      sender.frame(2, 17);
      const rets: unknown[] = [];
      for (let i = 0; i < texts.length; i++) {
        const { ret, error } = await sender.reply(19, 10 + i);
        rets.push(error ?? ret);
      }
      const no = kind === 'tcp' ? -1 : 'forbidden';
      assert.deepEqual(rets, [0, 0, no, 0, 0, no]);
      assert.equal((await sender.reply(21, 16)).ret, 0);
      assert.equal((await sender.next()).op, 3, 'replies come in order');
      const got = await receiver.texts(5);
      assert.deepEqual(got.toSorted(), ['***', '***', 'five', 'one', 'two']);
      await sender.end();
    }
    const [{ from, to, protocol, msg }] = questionsOf(hook.requests[0]!) as [Question];
    assert.deepEqual([from, to, protocol, msg], [21, 31, 'comet', 'one']);
    assert.ok(hook.requests.some((request) => questionsOf(request).some(({ group }) => group === 7)));
    assert.ok(hook.requests.every((r) => r.headers['webhook-signature'] === signatureOf(r, 's')));
  });

  test('In messaging the reason is told, and a replaced object keeps its id, sid and rid.', async (t) => {
    const hook = await Receiver.start(t);
    hook.answer = judgement;
    const server = await start(t, hook);
    const ann = await connectMessaging(server, 'ann');
    const bob = await connectMessaging(server, 'bob');
    ann.sendSections({
      send: [
        { id: 12345678901, sid: 'ann', rid: 'bob', text: 'rude', extra: true },
        { id: 'x2', sid: 'ann', rid: 'bob', text: 'bad' },
        { id: 'x3', sid: 'ann', rid: 'bob', text: 'fine', big: 1 },
      ],
    });
    assert.deepEqual(await bob.nextMessage(), { id: 12345678901, sid: 'ann', rid: 'bob', text: '***', n: 1 });
    assert.deepEqual(await bob.nextMessage(), { id: 'x3', sid: 'ann', rid: 'bob', text: 'fine', big: 1 });
    const error = { section: 'send', id: 'x2', error: 'forbidden', reason: 'not with us' };
    assert.deepEqual(await ann.nextError(), error);
  });

  test('What a connection sends keeps its order while the hook takes its time over others.', async (t) => {
    const hook = await Receiver.start(t);
    const held: (() => void)[] = [];
    hook.answer = async () => {
      if (hook.requests.length <= 3) await new Promise<void>((resolve) => held.push(resolve));
      return 204;
    };
    const server = await start(t, hook, {}, { beforeSendBatchMessagesMax: 3 });
    const sender = await Wire.connect('tcp', server, 21);
    const receivers = [await Wire.connect('tcp', server, 31), await Wire.connect('tcp', server, 32)];
    for (let i = 0; i < 40; i++) {
      sender.message(18, i, 31 + (i % 2), `m${i}`); // a run each
      if (i === 20) await until(() => held.length > 0, 'the hook is asked');
    }
    await until(() => {
      for (const release of held.splice(0)) release();
      return hook.requests.length > 3;
    }, 'the hook answers');
    for (let i = 0; i < 40; i++) {
      assert.deepEqual(await sender.reply(19, i), { ret: 0, chatId: 1 + Math.floor(i / 2) });
    }
    for (const [odd, receiver] of receivers.entries()) {
      const expected = Array.from({ length: 20 }, (_none, i) => `m${i * 2 + odd}`);
      assert.deepEqual(await receiver.texts(20), expected);
    }
    assert.ok(hook.requests.every((request) => questionsOf(request).length <= 3));
  });

  const broken: Record<string, Answer> = {
    'answers 500': () => 500,
    redirects: (_received, response) => void response.writeHead(302, { location: '/' }).end(),
    'does not answer in time': () => undefined,
    'answers something else': judge(() => 'yes'),
    'answers for fewer messages': (_received, response) => void response.end('{"messages":[]}'),
    'answers with no JSON': (_received, response) => void response.end('<html>'),
    'ends the connection': (_received, response) => void response.destroy(),
    'never ends its answer': (_received, response) => void response.write('{'),
    'answers without an end': (_received, response) => {
      const more = (): boolean => !response.destroyed && response.write('x'.repeat(65_536)) && more();
      response.on('drain', more);
      more();
      return undefined;
    },
    'replaces with more than a package': judge(() => ({ msg: 'x'.repeat(70_000) })),
  };
  test('When it does not answer as it should messages are refused with unavailable, until it does.', async (t) => {
    const hook = await Receiver.start(t);
    const server = await start(t, hook, { timeoutMs: 300 });
    const wire = await Wire.connect('ws-json', server, 21);
    let seq = 0;
    const say = async (): Promise<unknown> => {
      wire.message(18, (seq += 1), 31, 'hello');
      return (await wire.reply(19, seq)).error;
    };
    for (const [what, answer] of Object.entries(broken)) {
      hook.answer = answer;
      assert.equal(await say(), 'unavailable', what);
      hook.answer = () => 204;
      await until(async () => (await say()) === undefined, `it is asked again after it ${what}`);
    }
  });

  test('With --before-send-down allow messages go through unasked while it is down.', async (t) => {
    const hook = await Receiver.start(t);
    await hook.close();
    const server = await start(t, hook, { whenDown: 'allow' }, { beforeSendRetryMs: 600_000 });
    const client = await connectTcp(server, 21);
    for (let i = 1; i <= 5; i++) assert.equal(await client.send(31, 'unasked'), i);
  });

  test('Over what its queue holds messages are refused with overloaded.', async (t) => {
    const hook = await Receiver.start(t);
    let release = (): void => {};
    hook.answer = async () => {
      await new Promise<void>((resolve) => (release = resolve));
      return 204;
    };
    const server = await start(t, hook, {}, { beforeSendQueueMessagesMax: 5, beforeSendBatchMessagesMax: 2 });
    const wire = await Wire.connect('ws-json', server, 21);
    wire.message(18, 1, 31, 'first');
    await until(() => hook.requests.length === 1, 'the hook is asked');
    for (let seq = 2; seq <= 8; seq++) wire.message(18, seq, 100 + seq, 'more'); // a run each
    await until(() => {
      release();
      return hook.requests.length >= 3;
    }, 'the rest is asked about');
    const errors: unknown[] = [];
    for (let seq = 1; seq <= 8; seq++) errors.push((await wire.reply(19, seq)).error);
    assert.deepEqual(errors.slice(0, 4), [undefined, undefined, undefined, undefined]);
    assert.equal(errors.at(-1), 'overloaded');
  });

  test('What was asked about when its client broke off, or the server stopped, is still carried out.', async (t) => {
    const hook = await Receiver.start(t);
    let release = (): void => {};
    hook.answer = async () => {
      await new Promise<void>((resolve) => (release = resolve));
      return 204;
    };
    const server = await start(t, hook);
    const receiver = await Wire.connect('tcp', server, 31);
    const sender = await Wire.connect('tcp', server, 21);
    sender.message(18, 1, 31, 'last words');
    await until(() => hook.requests.length === 1, 'the hook is asked');
    sender.client.destroy();
    release();
    assert.deepEqual(await receiver.texts(1), ['last words']);
    receiver.message(18, 1, 31, 'notes');
    await until(() => hook.requests.length === 2, 'the hook is asked');
    const drained = server.drain();
    release();
    assert.equal((await receiver.reply(19, 1)).ret, 0);
    await drained;
  });
});
