/** All connections of a run: each is made once, so a bastion's serves every host behind it. */

import { homedir, hostname, userInfo } from 'node:os';
import type { HostsOptions, HostTarget } from '../options.ts';
import type { Questions } from '../questions.ts';
import { readConfig } from './config-files.ts';
import type { ConfigLine } from './config-lines.ts';
import { Connection } from './connection.ts';
import { UnlockedKeys } from './key-files.ts';
import { type ConnectionPlan, type Overrides, resolve } from './plan.ts';
import type { Person } from './said.ts';

const HANDSHAKES_PER_BASTION = 8;

export class Connections {
  readonly #options: HostsOptions;
  readonly #person: Person;
  readonly #unlocked: UnlockedKeys;
  readonly #questions: Questions;
  readonly #made = new Map<string, Connection>();
  #config: Promise<ConfigLine[][]> | null = null;

  constructor(options: HostsOptions, questions: Questions) {
    this.#options = options;
    this.#person = options.person ?? whoRunsThis();
    this.#questions = questions;
    this.#unlocked = new UnlockedKeys(questions);
  }

  /** @throws HostError 'configuration' */
  async to(target: HostTarget, overrides: Overrides): Promise<Connection> {
    const { configFile, knownHosts, acceptNew } = this.#options;
    this.#config ??= readConfig(target.name, {
      home: this.#person.home,
      ...(configFile === undefined ? {} : { only: configFile }),
    });
    const common = {
      ...(knownHosts === undefined ? {} : { knownHosts }),
      ...(acceptNew === undefined ? {} : { acceptNew }),
    };
    return this.#make(resolve(await this.#config, target, { ...common, ...overrides }, this.#person));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#made.values()].map((connection) => connection.close()));
  }

  #make(plan: ConnectionPlan): Connection {
    const { host, notices: _, ...way } = plan;
    const key = JSON.stringify(way);
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

function whoRunsThis(): Person {
  const { username, uid } = userInfo();
  return { user: username, home: homedir(), uid, hostname: hostname(), env: process.env };
}
