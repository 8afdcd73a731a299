import type { ActorSystem } from '../actor/index.ts';
import type { ChangedGroup, GroupsApi, GroupView, ReplacedGroup } from '../admin/groups-api.ts';
import { EnckeError } from '../errors.ts';
import { Group, type GroupChanged, type GroupRefusal } from '../group/group.ts';
import { answer } from './every-shard.ts';

/** What the admin port does to groups, asked of their actors. */
export class GroupsOnActors implements GroupsApi {
  readonly #system: ActorSystem;

  constructor(system: ActorSystem) {
    this.#system = system;
  }

  async replace(gid: number, members: number[]): Promise<ReplacedGroup> {
    return orThrow(await answer(this.#system.ask(Group, gid, 'replace', { members })));
  }

  async get(gid: number): Promise<GroupView | undefined> {
    const info = await answer(this.#system.ask(Group, gid, 'get'));
    return info === null ? undefined : { members: [...info.members], lastChatId: info.lastChatId };
  }

  async remove(gid: number): Promise<boolean> {
    return orThrow(await answer(this.#system.ask(Group, gid, 'remove')));
  }

  async change(gid: number, add: number[], remove: number[]): Promise<ChangedGroup | undefined> {
    const changed = await answer(this.#system.ask(Group, gid, 'change', { add, remove }));
    return changed === null ? undefined : orThrow(changed);
  }
}

function orThrow<T extends GroupChanged | boolean>(changed: T | GroupRefusal): T {
  if (typeof changed === 'object' && 'refused' in changed) throw new EnckeError(changed.refused);
  return changed;
}
