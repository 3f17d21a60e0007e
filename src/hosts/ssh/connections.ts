/** All connections of a run. Each is opened once, so all hosts behind a bastion share its connection. */

import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, hostname, tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { HostError } from '../host.ts';
import { Limit } from '../limit.ts';
import type { HostsOptions, HostTarget } from '../options.ts';
import type { Questions } from '../questions.ts';
import { Certificates } from './certificates.ts';
import { readConfig } from './config-files.ts';
import type { ConfigLine } from './config-lines.ts';
import { Connection } from './connection.ts';
import type { Person } from './host-settings.ts';
import { UnlockedKeys } from './key-files.ts';
import { OpenSshConnection } from './openssh.ts';
import { type ConnectionPlan, type Overrides, resolve } from './route.ts';

const HANDSHAKES_PER_BASTION = 8;

export class Connections {
  readonly #options: HostsOptions;
  readonly #person: Person;
  readonly #unlocked: UnlockedKeys;
  readonly #questions: Questions;
  readonly #made = new Map<string, Connection>();
  readonly #certificates = new Certificates();
  readonly #byOpenSsh = new Map<string, OpenSshConnection>();
  readonly #openSshHandshakes: Limit;
  #directory: Promise<string> | null = null;
  #config: Promise<ConfigLine[][]> | null = null;

  constructor(options: HostsOptions, questions: Questions) {
    this.#options = options;
    this.#person = options.person ?? currentUser();
    this.#questions = questions;
    this.#unlocked = new UnlockedKeys(questions);
    this.#openSshHandshakes = new Limit(options.handshakesPerBastion ?? HANDSHAKES_PER_BASTION);
  }

  /** Uses OpenSSH's ssh where certificates are needed. @throws HostError 'configuration' */
  async to(target: HostTarget, overrides: Overrides): Promise<Connection | OpenSshConnection> {
    const plan = await this.plan(target, overrides);
    const certificate = await this.#certificates.findOnRoute(plan);
    return certificate === null ? this.#make(plan) : this.#makeByOpenSsh(plan, certificate);
  }

  /** Decides how to reach the host, and does not connect. @throws HostError 'configuration' */
  async plan(target: HostTarget, overrides: Overrides): Promise<ConnectionPlan> {
    const { configFile, knownHosts, acceptNew } = this.#options;
    this.#config ??= readConfig(target.name, {
      home: this.#person.home,
      ...(configFile === undefined ? {} : { only: configFile }),
    });
    const common = {
      ...(knownHosts === undefined ? {} : { knownHosts }),
      ...(acceptNew === undefined ? {} : { acceptNew }),
    };
    return resolve(await this.#config, target, { ...common, ...overrides }, this.#person);
  }

  async close(): Promise<void> {
    const all = [...this.#made.values(), ...this.#byOpenSsh.values()];
    await Promise.all(all.map((connection) => connection.close()));
    // An ssh that was stopped a moment ago may still write there.
    if (this.#directory) await rm(await this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  async #makeByOpenSsh(plan: ConnectionPlan, certificate: string): Promise<OpenSshConnection> {
    const { host } = plan;
    if (plan.hostKey.pinned !== null) {
      throw new HostError(
        host,
        'configuration',
        `${host}: hostKey can't be combined with ${certificate}, because only OpenSSH's ssh supports certificates`,
        'Remove hostKey for this host, and add its key or certificate authority to a file of known hosts.',
      );
    }
    this.#directory ??= mkdtemp(path.join(tmpdir(), 'mesosup-control-'));
    const directory = await this.#directory;
    const key = keyOf(plan);
    const made = this.#byOpenSsh.get(key);
    if (made) return made;
    const connection = new OpenSshConnection(plan, certificate, String(this.#byOpenSsh.size), {
      directory,
      handshakes: this.#openSshHandshakes,
      notice: (text) => this.#options.notice?.(host, text),
    });
    this.#byOpenSsh.set(key, connection);
    return connection;
  }

  #make(plan: ConnectionPlan): Connection {
    const { host } = plan;
    const key = keyOf(plan);
    const made = this.#made.get(key);
    if (made) return made;
    const connection = new Connection(
      plan,
      plan.via && this.#make(plan.via),
      this.#options.handshakesPerBastion ?? HANDSHAKES_PER_BASTION,
      {
        questions: this.#questions,
        unlocked: this.#unlocked,
        notice: (text) => this.#options.notice?.(host, text),
      },
    );
    this.#made.set(key, connection);
    return connection;
  }
}

/** Equal for bastions with the same name and route. Includes the name, because errors mention it. */
function keyOf({ notices: _notices, ...route }: ConnectionPlan): string {
  return JSON.stringify(route);
}

function currentUser(): Person {
  const { username, uid } = userInfo();
  return { user: username, home: homedir(), uid, hostname: hostname(), env: process.env };
}
