import { isMainThread } from 'node:worker_threads';
import { ask, type Ended, kind, type Ref, System, tell } from 'encke/actor';

const memberMessages = { hear: ask<string, number>(), heard: ask<void, string[]>(), leave: tell() };

export const Member = kind({
  name: 'member',
  messages: memberMessages,
  load: () => [] as string[],
  on: {
    hear: (heard, line) => heard.push(line),
    heard: (heard) => heard,
    leave: (_heard, _none, ctx) => ctx.stop(),
  },
});

export const Room = kind({
  name: 'room',
  messages: {
    join: ask<Ref<typeof memberMessages>, number>(),
    say: ask<string, number>(),
    left: tell<Ended>(),
    members: ask<void, string[]>(),
  },
  load: () => new Map<string, Ref<typeof memberMessages>>(),
  on: {
    join(members, member, ctx) {
      members.set(String(member), member);
      ctx.watch(member, 'left'); // it may be on another thread
      return members.size;
    },
    async say(members, line, ctx) {
      const hears = [...members.values()].map((member) => ctx.ask(member, 'hear', line));
      return (await Promise.all(hears)).length;
    },
    left(members, { kind: name, id }) {
      members.delete(`${name}/${id}`);
    },
    members: (members) => [...members.keys()],
  },
});

// A module that is its own list of kinds must not await at its top level what imports it.
async function main(): Promise<void> {
  const system = await System.start({ threads: 2, kinds: [new URL(import.meta.url)] });
  const [ann, bob] = [system.ref(Member, 'ann'), system.ref(Member, 'bob')];
  const room = system.ref(Room, 'lobby');
  await room.ask('join', ann);
  await room.ask('join', bob);
  console.log(await room.ask('say', 'hello')); // 2
  console.log(await ann.ask('heard'), await bob.ask('heard')); // [ 'hello' ] [ 'hello' ]
  bob.tell('leave');
  while ((await room.ask('members')).length > 1);
  console.log(await room.ask('members')); // [ 'member/ann' ]
  await system.stop();
}

if (isMainThread) void main();
