import { dispatch, query, spawn, start, stop } from 'nact';

/** The same work on nact. Its types are loose: a message is any value. */
type NactRef = Parameters<typeof dispatch>[0];

const system = start();
let serial = 0;
const name = (): string => `a${serial++}`;
const actorOf = (handle: (message: never) => void): NactRef =>
  spawn(system, ((_state: unknown, message: never) => handle(message)) as never, name());

let left = 0;
let finished: () => void = () => {};
const counted = (): void => {
  if (--left === 0) finished();
};
const all = (messages: number, tellAll: () => void): Promise<void> => {
  left = messages;
  const done = new Promise<void>((resolve) => (finished = resolve));
  tellAll();
  return done;
};

const hot = actorOf(counted);
export const tellHot = (messages: number): Promise<void> =>
  all(messages, () => {
    for (let n = 0; n < messages; n++) dispatch(hot, 1);
  });

let many: NactRef[] = [];
export const tellMany = (messages: number): Promise<void> => {
  while (many.length < messages) many.push(actorOf(counted));
  return all(messages, () => {
    for (let n = 0; n < messages; n++) dispatch(many[n] as NactRef, 1);
  });
};
export const forgetMany = (): void => {
  for (const actor of many) stop(actor);
  many = [];
};

const answering = actorOf((message: { from: NactRef }) => dispatch(message.from, 1));
export const askInTurn = async (asks: number): Promise<void> => {
  for (let n = 0; n < asks; n++) await query(answering, ((from: NactRef) => ({ from })) as never, 5_000);
};

interface Ping {
  n: number;
  from: NactRef;
  to: NactRef;
}
const pinger = (): NactRef =>
  actorOf((message: Ping) => {
    if (message.n-- === 0) {
      finished();
      return;
    }
    const { from, to } = message;
    message.from = to;
    message.to = from;
    dispatch(from, message as never);
  });
const [ping, pong] = [pinger(), pinger()];
export const pingPong = (turns: number): Promise<void> => {
  const done = new Promise<void>((resolve) => (finished = resolve));
  dispatch(ping, { n: turns, from: pong, to: ping });
  return done;
};

export const spawnAndStop = (actors: number): Promise<void> =>
  all(actors, () => {
    for (let n = 0; n < actors; n++) {
      const actor: NactRef = spawn(
        system,
        (() => {
          counted();
          stop(actor);
        }) as never,
        name(),
      );
      dispatch(actor, 1);
    }
  });
