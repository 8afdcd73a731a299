import { once } from 'node:events';
import type { UsersTask } from './users-process.ts';
import { SteadyUsers } from './users.ts';

const [task] = (await once(process, 'message')) as [UsersTask];
const users = new SteadyUsers(task.canary);
await users.connect(task.ports, task.count);
await users.sayTo(task.gid);
users.start(task.intervalMs);
process.send?.('talking');
await once(process, 'message');
process.send?.(await users.finish());
