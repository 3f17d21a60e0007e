/** A command's session with a cluster's hosts: opens each host once, and sends requests to all hosts concurrently. */

import type { Cluster, ClusterHost } from '../../cluster/cluster.ts';
import type { ClusterState } from '../../cluster/edge/cluster-state.ts';
import type { LoadedCluster } from '../../cluster/edge/load.ts';
import { type Secrets, secretValues } from '../../cluster/secrets.ts';
import { Hosts } from '../../hosts/connect.ts';
import { type Host, HostError } from '../../hosts/host.ts';
import type { AptFacts } from '../apt-facts.ts';
import { PackageCache } from '../edge/package-cache.ts';
import { probeHost } from '../edge/probe-host.ts';
import { RunRecorder, recordsDirectory } from '../edge/run-records.ts';
import { simulate } from '../edge/simulate-apt.ts';
import { hostScripts, loadTemplates, loginScripts } from '../edge/templates.ts';
import type { Facts } from '../facts.ts';
import type { Problem } from '../plan.ts';
import type { ProbeTargets } from '../probe-targets.ts';
import type { HostScripts } from '../script/host-scripts.ts';
import type { SimulationRequest } from '../simulation-request.ts';
import { healthServices, healthTargets, probeTargetsIn } from '../targets.ts';
import type { Templates } from '../templates.ts';
import { makeAsk } from './passwords.ts';
import { loggedHost, RunLog } from './run-log.ts';
import { askConcurrently, type Screen } from './screen.ts';

/** The result of probing the hosts. */
export interface Survey {
  /** By host, in the spec's order, without unreachable hosts. */
  readonly facts: ReadonlyMap<string, Facts>;
  /** A problem for each unreachable host. */
  readonly unreachable: readonly Problem[];
}

const NOTHING: ProbeTargets = {
  files: [],
  trees: [],
  packages: [],
  users: [],
  services: [],
  ports: [],
  disks: [],
  health: {},
};

/** Options of connections to hosts, and of the log of a run. */
export interface ConnectOptions {
  /** Accept and record the keys of unknown hosts. */
  readonly acceptNewHostKeys: boolean;
  /** Path of a file of known hosts; defaults to OpenSSH's files. */
  readonly knownHosts?: string | undefined;
  /** Path of an SSH configuration; defaults to OpenSSH's files. `none` for no file. */
  readonly sshConfig?: string | undefined;
  readonly askSudoPassword: boolean;
  /** Path. */
  readonly sudoPasswordFile?: string | undefined;
  /** Number of hosts to work on at the same time; defaults to all. */
  readonly concurrency?: number | undefined;
  /** Keep a log of everything that runs on the hosts. */
  readonly verbose: boolean;
}

export class Session {
  readonly cluster: Cluster;
  readonly state: ClusterState;
  readonly screen: Screen;
  /** Templates of this installation, read once. */
  readonly templates: Templates;
  readonly scripts: HostScripts;
  /** Number of hosts to work on at the same time. */
  readonly atOnce: number;
  readonly log: RunLog | undefined;
  /** Receives what a run does and says; notes of the screen too. */
  readonly record: RunRecorder;
  /** Package files on this machine. */
  readonly packages = PackageCache.ofUser(process.env);
  /** True once hosts are being changed. Their runs continue when this program ends. */
  atWork = false;
  /** Knows how to reach hosts; `host` opens those of the cluster. */
  readonly hosts: Hosts;
  readonly #open = new Map<string, Host>();

  private constructor(
    loaded: LoadedCluster,
    files: { readonly templates: Templates; readonly scripts: HostScripts },
    screen: Screen,
    concurrency: number | undefined,
    hosts: Hosts,
    logs: { readonly log: RunLog | undefined; readonly record: RunRecorder },
  ) {
    this.cluster = loaded.cluster;
    this.state = loaded.state;
    this.templates = files.templates;
    this.scripts = files.scripts;
    this.screen = screen;
    this.atOnce = concurrency ?? Number.POSITIVE_INFINITY;
    this.hosts = hosts;
    this.log = logs.log;
    this.record = logs.record;
  }

  /**
   * Opens no connection yet.
   * @param root directory of this installation
   * @throws MesosupError when templates are missing
   */
  static async begin(
    root: string,
    loaded: LoadedCluster,
    options: ConnectOptions,
    plainScreen: Screen,
  ): Promise<Session> {
    const templates = await loadTemplates(root);
    const scripts = hostScripts(root, templates);
    const record = new RunRecorder(recordsDirectory(loaded.state.directory), {
      onProblem: (text) => plainScreen.note(text),
      now: Date.now,
    });
    const screen = {
      ...plainScreen,
      note: (text: string) => {
        plainScreen.note(text);
        record.write({ host: '', kind: 'note', text });
      },
    };
    const ask = await makeAsk({
      sudoPasswordFile: options.sudoPasswordFile,
      askSudoPassword: options.askSudoPassword,
      asks: screen.asks,
    });
    // With milliseconds: a rotation of secrets makes several runs in a row.
    const stamp = new Date().toISOString().replaceAll(':', '').slice(0, -1);
    const log = options.verbose
      ? new RunLog(await loaded.state.newFile(`run-${stamp}-${process.pid}.log`))
      : undefined;
    const hosts = new Hosts(loginScripts(scripts), {
      ask,
      notice: (host, text) => {
        screen.note(text);
        log?.write(host, text);
      },
      acceptNew: options.acceptNewHostKeys,
      ...(options.knownHosts !== undefined && { knownHosts: options.knownHosts }),
      ...(options.sshConfig !== undefined && { configFile: options.sshConfig }),
    });
    return new Session(loaded, { templates, scripts }, screen, options.concurrency, hosts, { log, record });
  }

  host(name: string): Host {
    const known = this.#open.get(name);
    if (known) return known;
    const target = this.cluster.hosts.find((host) => host.name === name);
    if (!target) throw new TypeError(`the cluster has no host ${name}`);
    const plain = this.hosts.open(target);
    const host = this.log ? loggedHost(plain, this.log) : plain;
    this.#open.set(name, host);
    return host;
  }

  /** Keeps these secrets out of the log and the record. */
  hide(secrets: Secrets): void {
    const values = secretValues(secrets);
    this.log?.hide(values);
    this.record.hide(values);
  }

  /** Probes all hosts, or those with these names, in one round trip each. */
  survey(secrets: Secrets | undefined, names?: readonly string[]): Promise<Survey> {
    return this.#ask(names, secrets, this.screen, probeTargetsIn(this.cluster));
  }

  /** Probes little more than the services of these hosts. Callers show the reasons of a wait themselves. */
  health(secrets: Secrets, names: readonly string[]): Promise<Survey> {
    return this.#ask(names, secrets, undefined, (host) => ({
      ...NOTHING,
      services: healthServices(this.cluster, host),
      health: healthTargets(this.cluster, host),
    }));
  }

  /** Probes what apt took on these hosts. */
  installedPackages(names: readonly string[]): Promise<Survey> {
    return this.#ask(names, undefined, undefined, () => NOTHING);
  }

  /** Simulates an installation with apt on these hosts. @returns by host, without unreachable hosts */
  async simulate(requests: ReadonlyMap<string, SimulationRequest>): Promise<ReadonlyMap<string, AptFacts>> {
    const answers = await askConcurrently(
      this.screen,
      'Simulating the installation with apt',
      [...requests.keys()],
      this.atOnce,
      async (name) => {
        const request = requests.get(name);
        if (request === undefined) throw new TypeError(`there is no simulation request for ${name}`);
        return simulate(this.host(name), this.scripts, request).catch(hostError);
      },
    );
    return new Map(
      [...answers].flatMap(([name, answer]) => (answer instanceof HostError ? [] : [[name, answer]])),
    );
  }

  async #ask(
    names: readonly string[] | undefined,
    secrets: Secrets | undefined,
    screen: Screen | undefined,
    targetsOf: (host: ClusterHost) => ProbeTargets,
  ): Promise<Survey> {
    if (secrets) this.hide(secrets);
    const hosts = this.cluster.hosts.filter(({ name }) => names?.includes(name) ?? true);
    const found = await askConcurrently(
      screen,
      'Probing the hosts',
      hosts.map((host) => host.name),
      this.atOnce,
      async (name) => {
        const host = hosts.find((one) => one.name === name);
        if (!host) throw new TypeError(`the cluster has no host ${name}`);
        return probeHost(this.host(name), this.scripts, targetsOf(host), secrets).catch(hostError);
      },
    );
    const facts = new Map<string, Facts>();
    const unreachable: Problem[] = [];
    for (const [name, answer] of found) {
      if (answer instanceof HostError) unreachable.push(problemOf(answer));
      else facts.set(name, answer);
    }
    return { facts, unreachable };
  }

  /** Closes all connections, and prints the path of the log. */
  async close(): Promise<void> {
    await this.hosts.close();
    // A run that has ended normally has its end.
    this.record.end('interrupted');
    if (!this.log) return;
    await this.log.close();
    this.screen.note(`The log is in ${this.log.file}`);
  }
}

/** Returns a HostError as a result, so that an unreachable host does not stop requests to other hosts. */
function hostError(error: unknown): HostError {
  if (error instanceof HostError) return error;
  throw error;
}

export function problemOf(error: HostError): Problem {
  return {
    host: error.host,
    check: error.failure,
    message: error.message,
    remedy: error.remedy,
    severity: 'error',
  };
}
