/** Plans like those of the planner, for tests that apply them on a real host. */

import { createHash, randomBytes } from 'node:crypto';
import { generateSecrets } from '../../../src/cluster/secrets.ts';
import { Hosts } from '../../../src/hosts/connect.ts';
import type { Host } from '../../../src/hosts/host.ts';
import { type ApplyHostOptions, applyHost } from '../../../src/install/edge/apply-host.ts';
import type { RunOutcome } from '../../../src/install/edge/host-run.ts';
import { probeHost } from '../../../src/install/edge/probe-host.ts';
import type { Facts } from '../../../src/install/facts.ts';
import type { PlanAction } from '../../../src/install/item.ts';
import type { PlanItem } from '../../../src/install/plan.ts';
import type { ProbeTargets } from '../../../src/install/probe-targets.ts';
import type { FileResource } from '../../../src/install/resources/file.ts';
import { type Resource, resourceId } from '../../../src/install/resources/registry.ts';
import type { ServiceResource } from '../../../src/install/resources/service.ts';
import type { RunEvent } from '../../../src/install/run-events.ts';
import { login, scripts } from '../../install/hosts.ts';
import type { LabHost } from '../../lab/host.ts';
import { type Lab, startLab } from '../../lab/lab.ts';

export const secrets = generateSecrets(randomBytes);

export function wants(action: PlanAction, resource: Resource): PlanItem {
  return {
    id: resourceId(resource),
    action,
    title: `${resourceId(resource)}: ${action}`,
    diff: [],
    resource,
  };
}

/** An item without a wanted resource. */
export function undo(action: 'remove' | 'restore' | 'repair' | 'stop', id: string, whole?: true): PlanItem {
  return { id, action, title: `${id}: ${action}`, diff: [], ...(whole ? { whole } : {}) };
}

export function file(at: string, content: string, extra: Partial<FileResource> = {}): FileResource {
  return { kind: 'file', path: at, content, owner: 'root', group: 'root', mode: '0644', ...extra };
}

export function service(name: string, extra: Partial<ServiceResource> = {}): ServiceResource {
  return { kind: 'service', name, enabled: true, running: true, inputs: 'i1', restartOn: [], ...extra };
}

/** A systemd unit that runs `script`. */
export function unit(name: string, script: string): FileResource {
  const quoted = script.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return file(
    `/etc/systemd/system/${name}.service`,
    `[Service]\nExecStart=/bin/sh -c "${quoted}"\n[Install]\nWantedBy=multi-user.target\n`,
  );
}

export function openHosts(lab: Lab): Hosts {
  return new Hosts(login, { configFile: lab.ssh.config, knownHosts: lab.ssh.knownHosts });
}

export interface OneHost {
  readonly lab: Lab;
  readonly hosts: Hosts;
  /** The host with the installer's connection. */
  readonly host: Host;
  /** A shell on the host, independent of the installer. */
  readonly shell: LabHost;
  stop(): Promise<void>;
}

/** Starts a lab with one bare host and connects to it. */
export async function startOneHost(options: { mesos?: boolean } = {}): Promise<OneHost> {
  const lab = await startLab({ hosts: 1, ...options });
  const hosts = openHosts(lab);
  return {
    lab,
    hosts,
    host: hosts.open({ name: 'h1', address: 'h1', connection: { kind: 'ssh' } }),
    shell: lab.host('h1'),
    stop: async () => {
      await hosts.close();
      await lab.stop();
    },
  };
}

export function targets(extra: Partial<ProbeTargets> = {}): ProbeTargets {
  return {
    files: [],
    trees: [],
    packages: [],
    users: [],
    services: [],
    ports: [],
    disks: [],
    health: {},
    ...extra,
  };
}

export function probe(host: Host, extra: Partial<ProbeTargets> = {}): Promise<Facts> {
  return probeHost(host, scripts, targets(extra), secrets);
}

let runs = 0;

export interface Applied {
  outcome: RunOutcome;
  events: RunEvent[];
}

/** Applies items. @returns the outcome with all events */
export async function apply(
  host: Host,
  items: readonly PlanItem[],
  options: Partial<ApplyHostOptions> = {},
): Promise<Applied> {
  const events: RunEvent[] = [];
  runs += 1;
  const outcome = await applyHost(
    host,
    scripts,
    { host: host.name, items, basis: '' },
    {
      run: `test-${process.pid}-${runs}`,
      command: 'install',
      cluster: 'test',
      who: 'tester@here (1)',
      secrets,
      limits: { stay: 500 },
      ...options,
      onEvent: (event) => {
        events.push(event);
        options.onEvent?.(event);
      },
    },
  );
  return { outcome, events };
}

/** The failure of a run. @throws Error if it did not fail */
export function failureOf({ outcome, events }: Applied): Extract<RunEvent, { event: 'failed' }> {
  if (outcome.ok || !outcome.failed) {
    throw new Error(`the run did not fail as it should: ${JSON.stringify(events.slice(-5))}`);
  }
  return outcome.failed;
}

export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** All files, directories and links with their digests, except those that the system changes by itself. */
export function listing(shell: LabHost): Promise<string> {
  return shell.run(`
    prune='/proc /sys /dev /run /tmp /var/lib/docker /var/log /var/cache /var/lib/apt /var/lib/dpkg /var/lib/systemd /var/backups'
    set --
    for p in $prune; do set -- "$@" -path "$p" -prune -o; done
    find / "$@" -type f ! -name 'passwd*' ! -name '*group*' ! -name '*shadow*' ! -name ld.so.cache ! -name 'sub?id*' -exec sha256sum {} + | sort
    find / "$@" ! -type f -printf '%p %y %m %u %g %l\\n' | sort`);
}
