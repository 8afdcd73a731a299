import type { Kind } from './kind.ts';
import type { SystemOptions } from './options.ts';
import { placeById, type ThreadPlace } from './place.ts';
import type { Place } from './router.ts';

/** What `setup` is told. */
export interface SetupInfo {
  /** 0 is the main thread, 1 to `threads` are the actor threads. */
  readonly node: number;
  /** Actor threads. */
  readonly threads: number;
  /** `data` of {@link StartOptions}, a structured clone of it on actor threads. */
  readonly data: any;
}

/** What `setup` returns: the options of one thread. */
export interface Setup<E = any> extends Pick<
  SystemOptions<E>,
  'env' | 'hooks' | 'onDeadLetter' | 'onFailure' | 'onPeer' | 'afterDrain'
> {
  /** Default: {@link placeById}. */
  readonly place?: ThreadPlace;
}

/** The kinds that modules export, under whatever names. */
export async function importKinds(urls: readonly string[]): Promise<Kind[]> {
  const modules = await Promise.all(urls.map((url) => import(url) as Promise<Record<string, unknown>>));
  const kinds = new Set(modules.flatMap((module) => Object.values(module).filter(isKind)));
  if (kinds.size === 0) throw new TypeError(`no kind is exported by ${urls.join(', ')}`);
  return [...kinds];
}

function isKind(value: unknown): value is Kind {
  const { name, messages, on, load } = (value ?? {}) as Partial<Kind>;
  return typeof name === 'string' && typeof load === 'function' && messages !== undefined && on !== undefined;
}

/** Calls the function `setup` that a module exports. */
export async function importSetup(url: string | undefined, info: SetupInfo): Promise<Setup> {
  if (url === undefined) return {};
  const { setup } = (await import(url)) as { setup?: (info: SetupInfo) => Setup | Promise<Setup> };
  if (typeof setup !== 'function') throw new TypeError(`${url} exports no function 'setup'`);
  return setup(info);
}

/** The nodes of actors: the threads' nodes begin with 1; without threads, all are on node 0. */
export function placeOnThreads(threads: number, place: ThreadPlace = placeById): Place {
  if (threads === 0) return () => 0;
  return (kind, id) => 1 + place(kind, id, threads);
}
