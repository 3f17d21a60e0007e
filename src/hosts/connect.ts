/** Opens hosts that share the answers of the user, the unlocked keys, and the connections to bastions. */

import { type Host, HostError, type RunOptions, type RunResult } from './host.ts';
import { type LoginScripts, launch } from './launcher.ts';
import type { HostsOptions, HostTarget } from './options.ts';
import { Questions } from './questions.ts';
import { quote } from './quote.ts';
import { type RunContext, runScript } from './script-run.ts';
import { sshCommandLine } from './ssh/command-line.ts';
import type { Connections } from './ssh/connections.ts';
import type { ConnectionPlan, Overrides } from './ssh/route.ts';

/** A host under load took more than a minute to start a shell. One that is gone shows by the connection's keepalives. */
const ROOT_TIMEOUT = 180_000;

export class Hosts {
  readonly #login: LoginScripts;
  readonly #options: HostsOptions;
  readonly #questions: Questions;
  readonly #open: Host[] = [];
  #ssh: Promise<Connections> | null = null;

  constructor(login: LoginScripts, options: HostsOptions = {}) {
    this.#login = login;
    this.#options = options;
    this.#questions = new Questions(options.ask);
  }

  /** Does not connect yet: the first run does. */
  open(target: HostTarget): Host {
    const { name, connection } = target;
    const rootTimeout = this.#options.rootTimeout ?? ROOT_TIMEOUT;
    const host =
      connection.kind === 'local'
        ? this.#local(name, rootTimeout)
        : this.#remote(target, connection, rootTimeout);
    this.#open.push(host);
    return host;
  }

  /** Decides how SSH reaches a host, and does not connect. @throws HostError 'configuration' */
  async route(target: HostTarget, overrides: Overrides): Promise<ConnectionPlan> {
    return (await this.#connections()).plan(target, overrides);
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map((host) => host.close()));
    await (await this.#ssh)?.close();
  }

  #root(
    host: string,
    user: string,
    rootTimeout: number,
    debugCommand: RunContext['debugCommand'],
  ): RunContext {
    const password = () => this.#questions.once(`sudo:${host}`, { kind: 'sudo', host, user });
    const forget = () => this.#questions.forget(`sudo:${host}`);
    return { host, user, password, forget, debugCommand, rootTimeout };
  }

  /** SSH is loaded only once a host needs it. */
  #connections(): Promise<Connections> {
    this.#ssh ??= import('./ssh/connections.ts').then(
      ({ Connections }) => new Connections(this.#options, this.#questions),
    );
    return this.#ssh;
  }

  #local(name: string, rootTimeout: number): Host {
    const root = (user: string) => this.#root(name, user, rootTimeout, (command) => command);
    let made: Promise<Host> | null = null;
    // Loaded only once it is needed, like SSH.
    const local = () => {
      made ??= import('./local.ts').then(({ localHost }) => localHost(name, this.#login, root));
      return made;
    };
    return {
      name,
      run: async (script, options) => (await local()).run(script, options),
      close: async () => (await made?.catch(() => null))?.close(),
    };
  }

  #remote(target: HostTarget, overrides: Overrides, rootTimeout: number): Host {
    let connection: ReturnType<Connections['to']> | null = null;
    const connect = async () => (await this.#connections()).to(target, overrides);
    return {
      name: target.name,
      run: async (script: string, options: RunOptions = {}): Promise<RunResult> => {
        options.signal?.throwIfAborted();
        const launched = launch(this.#login, script);
        try {
          connection ??= connect();
          const opened = await connection;
          const debugCommand = (command: string) => `${sshCommandLine(opened.plan)} ${quote(command)}`;
          const command = await opened.exec(launched.command);
          return await runScript(
            command,
            launched,
            options,
            this.#root(target.name, opened.plan.user, rootTimeout, debugCommand),
          );
        } catch (error) {
          throw asErrorOf(target.name, error);
        }
      },
      close: async () => (await connection?.catch(() => null))?.close(),
    };
  }
}

/** Turns an error of a bastion into an error of the host behind it. */
function asErrorOf(name: string, error: unknown): unknown {
  if (!(error instanceof HostError) || error.host === name) return error;
  return new HostError(
    name,
    error.failure,
    `${name}: through its bastion: ${error.message}`,
    error.remedy,
    error,
  );
}
