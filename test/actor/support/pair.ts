import { MessageChannel } from 'node:worker_threads';
import {
  ActorSystem,
  type DeadLetter,
  type Kind,
  type Place,
  type SystemOptions,
} from '../../../src/actor/index.ts';

/** Two nodes of one thread, 1 and 2, that a real channel links. */
export function startPair(kinds: readonly Kind[], place: Place, options: Partial<SystemOptions<any>> = {}) {
  const start = (node: number) => {
    const letters: DeadLetter[] = [];
    const onDeadLetter = (letter: DeadLetter): unknown => letters.push(letter);
    return { system: new ActorSystem({ node, kinds, place, onDeadLetter, ...options }), letters };
  };
  const [one, two] = [start(1), start(2)];
  const connect = (): void => {
    const { port1, port2 } = new MessageChannel();
    one.system.connect(2, port1);
    two.system.connect(1, port2);
  };
  const stop = async (): Promise<void> => {
    await Promise.all([one.system.stop(), two.system.stop()]);
  };
  return { one, two, connect, stop };
}
