import type { Protocol } from '../history/connection.ts';
import type { Scope } from '../history/scope.ts';
import type { SoakConversation, SoakUser } from './plan.ts';
import type { Run } from './run.ts';

/** What ended a connection, as far as this side can tell. */
export interface LinkEnd {
  /** Everything that the server's side wrote was read. */
  readonly clean: boolean;
  readonly code: number;
}

/** An open connection, whatever its protocol. */
export interface Wire {
  readonly ended: Promise<LinkEnd>;
  /** Sends; the outcome goes to the history. Resolves, never rejects, when there is one. */
  send(serial: number, conversation: SoakConversation, text: string): Promise<void>;
  /** Things to do now and then: marks as read, acknowledgements. */
  tick(): void;
  close(): void;
  cut(): void;
  /** Stops reading for a while. */
  pause(): void;
  resume(): void;
}

const reconnectMsMax = 300;

/** A place of a user from which it connects, again and again, until the run ends. */
export class Link {
  readonly run: Run;
  readonly user: SoakUser;
  readonly protocol: Protocol;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly sendable: readonly SoakConversation[];
  /** Requests that may be open at once. */
  readonly window: number;
  readonly #open: (link: Link, connection: number) => Promise<Wire>;
  wire: Wire | undefined;
  connection = -1;
  inFlight = 0;
  /** It is being closed by this side: nothing is sent any more. */
  #closing = false;
  /** Resolves with the first connection. */
  readonly connected: Promise<void>;
  #setConnected: () => void = () => {};
  #again: (() => void) | undefined;
  #stopping = false;
  /** Connections that end later than the next one begins are among them. */
  readonly #ends: Promise<void>[] = [];
  /**
   * Connections that broke: until the server has noticed, its kernel takes what nobody will read, so
   * they are over for the history when the next one is open.
   */
  readonly #broken: number[] = [];

  constructor(
    run: Run,
    user: SoakUser,
    protocol: Protocol,
    name: string,
    scopes: readonly Scope[],
    open: (link: Link, connection: number) => Promise<Wire>,
  ) {
    this.run = run;
    this.user = user;
    this.protocol = protocol;
    this.name = name;
    this.scopes = scopes;
    this.#open = open;
    this.connected = new Promise((resolve) => (this.#setConnected = resolve));
    this.window = run.random.pick([1, 4, 16, 32]);
    this.sendable = run.plan.conversations.filter(
      ({ users, gid }) =>
        users.includes(user) &&
        // A comet client cannot name a string client.
        (protocol === 'messaging' || gid !== 0 || users.every(({ id }) => typeof id === 'number')),
    );
  }

  get canSend(): boolean {
    return (
      this.wire !== undefined && !this.#closing && this.inFlight < this.window && this.sendable.length > 0
    );
  }

  /** Connects whenever there is no connection. Ends, everything closed, after `stop`. */
  async live(): Promise<void> {
    const { run } = this;
    while (!this.#stopping) {
      await run.server.ready;
      await this.#serve();
      if (!this.#stopping && !run.quiet) await run.pause(run.random.int(0, reconnectMsMax));
    }
    await Promise.all(this.#ends);
    for (const broken of this.#broken.splice(0)) run.history.close(broken, false);
  }

  /** Connects and goes away again. */
  async once(): Promise<void> {
    const living = this.live();
    await this.connected;
    this.stop();
    await living;
    this.#stopping = false;
  }

  /** Sends one message; resolves with its serial once its outcome is known, or the connection ended. */
  async send(conversation: SoakConversation): Promise<number> {
    const { wire, run, connection } = this;
    if (wire === undefined || this.#closing) return -1;
    const serial = run.history.send(connection, conversation.index);
    this.inFlight += 1;
    await wire.send(serial, conversation, run.textOf(serial));
    this.inFlight -= 1;
    return serial;
  }

  /** Opens another connection while this one lives: the later one takes precedence. */
  takeOver(): void {
    this.#again?.();
  }

  /** Ends the connection in good order. */
  close(): void {
    this.#closing = true;
    this.wire?.close();
  }

  stop(): void {
    this.#stopping = true;
    this.close();
  }

  async #serve(): Promise<void> {
    const { run, user, protocol } = this;
    const { history } = run;
    const name = this.#nameOf(history.connections.length);
    const connection = history.open(user.index, protocol, name, this.scopes);
    if (run.quiet) history.openedLast(connection);
    let wire: Wire;
    try {
      wire = await this.#open(this, connection);
    } catch {
      this.#broken.push(connection); // something may have been on its way
      await run.pause(20);
      return;
    }
    run.connects += 1;
    this.wire = wire;
    this.#closing = false;
    this.connection = connection;
    this.#setConnected();
    // From now on the server has nobody else to give something to.
    for (const broken of this.#broken.splice(0)) history.close(broken, false);
    const ended = wire.ended.then((end) => {
      run.ended(end, name);
      if (this.wire === wire) this.wire = undefined;
      if (end.clean) history.close(connection, true);
      else this.#broken.push(connection);
    });
    const again = new Promise<void>((resolve) => (this.#again = resolve));
    this.#ends.push(ended);
    if (this.#ends.length > 8) await this.#ends.shift();
    await Promise.race([ended, again]);
  }

  #nameOf(connection: number): string {
    return `connection ${connection} (${this.name} of ${this.user.id})`;
  }
}
