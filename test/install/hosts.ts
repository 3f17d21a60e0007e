/** Clusters and hosts for tests of plans. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Cluster, ClusterHost, Role } from '../../src/cluster/cluster.ts';
import { generateSecrets } from '../../src/cluster/secrets.ts';
import type { AptFacts } from '../../src/install/apt-facts.ts';
import { hostScripts, loginScripts } from '../../src/install/edge/templates.ts';
import type { Facts } from '../../src/install/facts.ts';
import type { FileFacts, ServiceFacts } from '../../src/install/host-facts.ts';
import type { PlanInput } from '../../src/install/plan-cluster.ts';
import type { Templates } from '../../src/install/templates.ts';
import type { FactsByHost } from '../../src/install/topology.ts';

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

let counter = 0;
/** All bytes of each differ from those of the others. */
export const secrets = generateSecrets((bytes) => {
  counter += 1;
  return new Uint8Array(bytes).fill(counter * 17);
});

export const templates: Templates = loadTemplates();

function loadTemplates(): Templates {
  const root = path.resolve(import.meta.dirname, '../../templates');
  const files = ['systemd', 'upstart', 'config', 'host'].flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name))),
  );
  return Object.fromEntries(files.map((file) => [file, readFileSync(path.join(root, file), 'utf8')]));
}

export const scripts = hostScripts('.', templates);
export const login = loginScripts(scripts);

/** With a field that only the edge knows of an archive; no plan takes it. */
export const payload = {
  version: '1.2.3',
  sha256: 'ab'.repeat(32),
  bytes: 40_000_000,
  file: '/only/here.tar.gz',
};

export const ALL_ROLES: readonly Role[] = ['zookeeper', 'master', 'scheduler', 'agent'];

export function hostOf(name: string, changes: Partial<ClusterHost> = {}): ClusterHost {
  return {
    name,
    address: name,
    roles: ALL_ROLES,
    attributes: {},
    resources: {},
    masterFlags: {},
    agentFlags: {},
    connection: { kind: 'ssh' },
    ...changes,
  };
}

export const REPOSITORY = {
  debian: 'https://packages.example/debian {codename} main',
  ubuntu: 'http://packages.example/{id}/{codename} {arch} main',
  key: { url: 'https://packages.example/key.asc' },
  fingerprint: '0123456789ABCDEF0123456789ABCDEF01234567',
};

export function clusterOf(hosts: readonly ClusterHost[], changes: Partial<Cluster> = {}): Cluster {
  return {
    name: 'prod',
    mesos: { kind: 'clusterd', repository: REPOSITORY },
    docker: { kind: 'distribution' },
    hosts,
    masterFlags: {},
    agentFlags: {},
    schedulerFlags: {},
    ports: { master: 5050, agent: 5051, scheduler: 8080, zookeeper: 2181 },
    ...changes,
  };
}

/** A freshly installed Debian 12. */
export function bareFacts(address: string, changes: Partial<Facts> = {}): Facts {
  return {
    clock: { now: 1_700_000_000_000, offsetMs: 0 },
    system: { id: 'debian', version: '12', codename: 'bookworm', name: 'Debian GNU/Linux 12 (bookworm)' },
    arch: 'amd64',
    kernel: '6.1.0',
    glibc: '2.36',
    init: 'systemd',
    cgroups: 'v2',
    hostname: `host-${address.replaceAll('.', '-')}`,
    addresses: [address],
    sshAddress: '',
    cpus: 4,
    memoryBytes: 8 * 2 ** 30,
    diskFreeBytes: { '/': 50e9, '/opt': 50e9, '/var': 50e9 },
    mounts: {},
    dpkg: { heldBy: '', broken: [] },
    packages: {},
    files: { '/etc/apt/keyrings': directoryFacts() },
    users: {},
    services: {},
    listeners: [],
    zookeeper: { answers: false, mode: '', version: '' },
    master: {
      answers: false,
      elected: false,
      recovered: false,
      version: '',
      agentsConnected: 0,
      frameworksActive: 0,
      problem: '',
    },
    lb: { answers: false, balances: false, services: 0, problems: 0, answeredAt: 0 },
    agent: { answers: false, registered: false, version: '', id: '', tasks: 0, executors: 0, problem: '' },
    scheduler: { answers: false, leads: false, leader: '', subscribed: false, version: '', problem: '' },
    docker: { version: '', running: false },
    otherDockers: [],
    mesosup: { cluster: '', current: '', payloads: [], released: [], started: false, journal: [], run: null },
    ...changes,
  };
}

/** An apt that has all packages and changes no others. */
export function aptFacts(changes: Partial<AptFacts> = {}): AptFacts {
  return { obstacles: [], changes: [], missingSuites: [], unreachable: [], failure: '', ...changes };
}

export function directoryFacts(changes: Partial<FileFacts> = {}): FileFacts {
  return { type: 'directory', mode: '0755', owner: 'root', group: 'root', ...changes };
}

export function fileFacts(text: string, changes: Partial<FileFacts> = {}): FileFacts {
  return { type: 'file', mode: '0644', owner: 'root', group: 'root', sha256: sha256(text), text, ...changes };
}

export function serviceFacts(changes: Partial<ServiceFacts> = {}): ServiceFacts {
  return {
    enabled: 'enabled',
    state: 'running',
    pid: 100,
    file: '/lib/systemd/system/x.service',
    inputs: '',
    needsReload: false,
    restarts: 0,
    ...changes,
  };
}

/** Each host of the cluster, bare, at 10.0.0.1 and so on. */
export function bareHosts(cluster: Cluster, changes: Partial<Facts> = {}): Map<string, Facts> {
  return new Map(
    cluster.hosts.map(({ name }, index) => [name, bareFacts(`10.0.0.${index + 1}`, changes)] as const),
  );
}

export function planInput(cluster: Cluster, facts: FactsByHost, changes: Partial<PlanInput> = {}): PlanInput {
  return { cluster, facts, templates, payload, command: 'install', secrets, sha256, ...changes };
}
