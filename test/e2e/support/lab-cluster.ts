/** A cluster that the installer creates on lab hosts, for tests: commands, HTTP requests, and a shell on each host. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { stringify } from 'yaml';
import { ClusterState } from '../../../src/cluster/edge/cluster-state.ts';
import type { Secrets } from '../../../src/cluster/secrets.ts';
import { type Endpoint, parseEndpoints } from '../../../src/demo/scheduler-api.ts';
import { operator } from '../../../src/install/operator.ts';
import type { Plan, PlanItem } from '../../../src/install/plan.ts';
import type { ClusterStatus } from '../../../src/install/status.ts';
import type { LabHost } from '../../lab/host.ts';
import type { Lab } from '../../lab/lab.ts';
import type { RepositoryLines } from '../../lab/mesos-repository.ts';
import { root, until } from '../demo-cluster.ts';
import { serviceFetch } from './service-fetch.ts';

export const PORTS = { master: 5050, agent: 5051, scheduler: 8080, zookeeper: 2181 };

/** Far more than an election takes on a slow machine. */
const NO_LEADER_MS = 60_000;

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
  /** Both outputs, for messages. */
  all: string;
}

export class LabCluster {
  readonly lab: Lab;
  readonly directory: string;
  readonly state: string;
  readonly specFile: string;
  /** Additional arguments of each command, for example `--hosts h1,h2`. */
  flags: readonly string[] = [];
  /** The program; tests of upgrades also use an older one. */
  program = path.join(root, 'bin/mesosup');
  /** A command ends after this time: before the test's own limit, so that a failure shows the output. */
  commandMs = 540_000;

  /** @param name the directory for its spec and state, within the lab's directory */
  constructor(lab: Lab, name = 'cluster') {
    this.lab = lab;
    this.directory = path.join(lab.directory, name);
    this.state = path.join(this.directory, 'state');
    this.specFile = path.join(this.directory, 'cluster.yaml');
  }

  /** Writes the spec: the lab's Mesos repository, and the given keys. */
  async writeSpec(
    more: Record<string, unknown> = {},
    lines: RepositoryLines = this.lab.mesos().good,
  ): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    await writeFile(this.specFile, stringify({ name: 'lab', mesos: mesosOf(lines), ...more }));
    await writeFile(path.join(this.directory, 'sudo-password'), `${this.#sudoPassword()}\n`, { mode: 0o600 });
  }

  /** Runs a command with the flags for the lab's hosts. */
  start(command: string, ...args: string[]) {
    return this.#mesosup(this.arguments(command, ...args));
  }

  /** Returns the command line for the lab's hosts, without the program. */
  arguments(command: string, ...args: string[]): string[] {
    const flags = [...this.flags, '--file', this.specFile, '--state', this.state, ...this.connection()];
    return [command, ...args, ...flags];
  }

  /** Applies a saved plan, which contains its hosts and options. */
  async startPlan(file: string): Promise<Outcome> {
    const args = ['install', file, '--yes', '--state', this.state, ...this.connection()];
    const { exitCode, stdout, stderr, all } = await this.#mesosup(args);
    return { code: exitCode ?? -1, stdout, stderr, all: all ?? '' };
  }

  connection(): string[] {
    const { config, knownHosts } = this.lab.ssh;
    const password = path.join(this.directory, 'sudo-password');
    return ['--ssh-config', config, '--known-hosts', knownHosts, '--sudo-password-file', password];
  }

  async run(command: string, ...args: string[]): Promise<Outcome> {
    const { exitCode, stdout, stderr, all } = await this.start(command, ...args);
    return { code: exitCode ?? -1, stdout, stderr, all: all ?? '' };
  }

  /** Adopts a running Mesos, and writes the spec. */
  async adopt(...args: string[]): Promise<Outcome> {
    await mkdir(this.directory, { recursive: true });
    await writeFile(path.join(this.directory, 'sudo-password'), `${this.#sudoPassword()}\n`, { mode: 0o600 });
    return this.run('adopt', ...args);
  }

  /** Runs a command line of the docs. Uses the spec unless the command line has flags for hosts. */
  async runLine(line: string, ...more: string[]): Promise<Outcome> {
    const [program, command = '', ...args] = line.split(' ');
    if (program !== 'mesosup') throw new TypeError(`not a command of mesosup: ${line}`);
    const { flags } = this;
    if (args.includes('--hosts')) this.flags = [];
    try {
      return await this.run(command, ...args, ...more);
    } finally {
      this.flags = flags;
    }
  }

  async status(): Promise<ClusterStatus> {
    return JSON.parse((await this.run('status', '--json')).stdout) as ClusterStatus;
  }

  /** Waits until the cluster is healthy. @returns its status. @throws Error with the last problems */
  async healthy(ms = 180_000): Promise<ClusterStatus> {
    let last: ClusterStatus | undefined;
    try {
      return await until(
        'the cluster is healthy',
        async () => {
          last = await this.status();
          return last.healthy && last;
        },
        ms,
      );
    } catch (cause) {
      throw new Error(`unhealthy after ${ms} ms: ${JSON.stringify(last?.problems)}`, { cause });
    }
  }

  /** The items of the plan by host as `action id`, without hosts that have no items. */
  async planned(): Promise<Record<string, string[]>> {
    const { stdout } = await this.run('plan', '--json');
    const { plan } = JSON.parse(stdout) as { plan: Plan };
    const line = ({ action, id }: PlanItem) => `${action} ${id}`;
    const changed = plan.hosts.filter(({ items }) => items.length > 0);
    return Object.fromEntries(changed.map(({ host, items }) => [host, items.map(line)]));
  }

  async secrets(): Promise<Secrets> {
    const secrets = await new ClusterState(this.state).secrets();
    if (!secrets) throw new Error(`${this.state} has no secrets`);
    return secrets;
  }

  /**
   * Sends a request to the scheduler's API on a host, with the user of the API. Sends it again while the answer is a 503
   * with Retry-After: then no leader has received it, since one is elected or restarts.
   */
  async api(host: LabHost, route: string, init: RequestInit = {}): Promise<Response> {
    const basic = Buffer.from(`mesosup:${(await this.secrets()).api}`).toString('base64');
    const headers = { authorization: `Basic ${basic}`, 'content-type': 'application/json', ...init.headers };
    const end = Date.now() + NO_LEADER_MS;
    for (;;) {
      const answer = await this.fetch(`${host.address}:${PORTS.scheduler}${route}`, { ...init, headers });
      if (answer.status !== 503 || !answer.headers.has('retry-after') || Date.now() > end) return answer;
      await answer.body?.cancel();
      await sleep(500);
    }
  }

  /** @throws Error if no scheduler leads for a minute, or the host's scheduler does not listen */
  async endpoints(host: LabHost, app: string): Promise<Endpoint[]> {
    const answer = await this.api(host, '/v1/endpoints');
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${host.name}: ${answer.status} ${text}`);
    return parseEndpoints(text, app);
  }

  /** Sends a request to a master or an agent as the operator. */
  async operator(host: LabHost, port: number, route: string, init: RequestInit = {}): Promise<Response> {
    const { user, password } = operator(await this.secrets());
    const basic = Buffer.from(`${user}:${password}`).toString('base64');
    return this.fetch(`${host.address}:${port}${route}`, {
      ...init,
      headers: { authorization: `Basic ${basic}`, ...init.headers },
    });
  }

  /** True if a master listens on the host, even if it answers slowly. */
  hasMaster(host: LabHost): Promise<boolean> {
    return this.#listens(`${host.address}:${PORTS.master}/health`);
  }

  /** True if a scheduler listens on the host, even if it answers slowly. */
  hasScheduler(host: LabHost): Promise<boolean> {
    return this.#listens(`${host.address}:${PORTS.scheduler}/ping`);
  }

  /** Sends a request without credentials. @param place with the address and port: `10.99.0.11:8080/ping` */
  fetch(place: string, init: RequestInit = {}): Promise<Response> {
    return serviceFetch(this.state, place, init);
  }

  /** The beginning of the URLs of schedulers, and the CA in PEM if they have TLS, with its file. */
  async scheme(): Promise<{ scheme: 'http' | 'https'; ca?: string; caFile?: string }> {
    const state = new ClusterState(this.state);
    if ((await state.certificates()) === undefined) return { scheme: 'http' };
    return {
      scheme: 'https',
      ca: await readFile(state.authorityFile, 'utf8'),
      caFile: state.authorityFile,
    };
  }

  async #listens(place: string): Promise<boolean> {
    try {
      await (await this.fetch(place, { signal: AbortSignal.timeout(2000) })).body?.cancel();
      return true;
    } catch (error) {
      return error instanceof DOMException && error.name === 'TimeoutError';
    }
  }

  #mesosup(args: readonly string[]) {
    return execa(this.program, args, {
      reject: false,
      stdin: 'ignore',
      all: true,
      cwd: this.directory,
      timeout: this.commandMs,
      // Where the pass phrase of a certificate authority is made.
      env: { XDG_CONFIG_HOME: process.env.XDG_CONFIG_HOME ?? path.join(this.lab.directory, 'config') },
    });
  }

  #sudoPassword(): string {
    return this.lab.hosts.find((h) => h.sudoPassword !== undefined)?.sudoPassword ?? 'none';
  }
}

/** The spec's `mesos` for a repository of the lab, with an optional version. */
export function mesosOf(
  { debian, ubuntu, key, fingerprint }: RepositoryLines,
  version?: string,
): Record<string, unknown> {
  const repository = { debian, ubuntu, key, fingerprint };
  return { source: 'clusterd', repository, ...(version !== undefined && { version }) };
}

/** Expects exit code 0; a failure shows the output of the command. */
export function expectDone({ code, all }: Outcome): void {
  if (code !== 0) throw new Error(`exit ${code}:\n${all}`);
}
