import type { Scope } from '../history/scope.ts';
import { cometKinds } from '../clients.ts';
import { Acker } from './acker.ts';
import { openComet } from './comet-wire.ts';
import { Link } from './link.ts';
import { openMessaging } from './messaging-wire.ts';
import type { SoakUser } from './plan.ts';
import type { Run } from './run.ts';

/** All the places from which the users of a plan connect. */
export function makeLinks(run: Run): Link[] {
  return run.plan.users.flatMap((user) => linksOf(run, user));
}

function linksOf(run: Run, user: SoakUser): Link[] {
  switch (user.kind) {
    case 'plain':
      return [cometLink(run, user)];
    case 'devices':
      return ['phone', 'desk'].map((device) => deviceLink(run, user, device));
    case 'acks':
      return ['phone', 'desk'].map((device) => ackLink(run, user, device));
    case 'plain-acks':
      return [ackLink(run, user)];
    case 'both':
      return [messagingLink(run, user), cometLink(run, user)];
    case 'string':
      return [messagingLink(run, user)];
  }
}

function cometLink(run: Run, user: SoakUser): Link {
  const kind = cometKinds[user.index % cometKinds.length] ?? 'tcp';
  return new Link(run, user, 'comet', 'plain', [user.scope], (link, connection) =>
    openComet(link, connection, { kind }),
  );
}

/** A named device, each time over another transport. */
export function deviceLink(run: Run, user: SoakUser, device: string): Link {
  const scope = addScope(run, user, 'device', device);
  return new Link(run, user, 'comet', device, [user.scope, scope], (link, connection) =>
    openComet(link, connection, { kind: run.random.pick(cometKinds), device }),
  );
}

function ackLink(run: Run, user: SoakUser, device?: string): Link {
  const acker = new Acker();
  const scopes = [user.scope, ...(device === undefined ? [] : [addScope(run, user, 'ack', device)])];
  return new Link(run, user, 'comet', device ?? 'plain', scopes, (link, connection) =>
    openComet(link, connection, { kind: run.random.pick(cometKinds), device, acker }),
  );
}

function messagingLink(run: Run, user: SoakUser): Link {
  const scope = addScope(run, user, 'mailbox', 'messaging');
  return new Link(run, user, 'messaging', 'messaging', [user.scope, scope], openMessaging);
}

const addScope = (run: Run, { index, id }: SoakUser, kind: Scope['kind'], name: string): Scope =>
  run.history.addScope(kind, index, `${name} of ${id}`);
