import { ActorSystem, ask, kind, tell } from 'encke/actor';

const Counter = kind({
  name: 'counter',
  messages: { add: tell<number>(), total: ask<void, number>() },
  load: () => ({ total: 0 }),
  on: { add: (state, n) => void (state.total += n), total: (state) => state.total },
});
const system = new ActorSystem({ kinds: [Counter] });
system.tell(Counter, 'apples', 'add', 3);
console.log(await system.ask(Counter, 'apples', 'total')); // 3
