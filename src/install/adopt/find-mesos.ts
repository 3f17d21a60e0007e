/** Finds the masters and agents of hosts, and what mesosup can't take over of them. */

import type { MesosLayout } from '../layout.ts';
import type { Problem } from '../plan.ts';
import { isIpv4 } from '../topology.ts';
import type { AdoptedHost, AdoptedProcess, HostInput } from './adopted-host.ts';
import { placeOf, processFlags } from './process-flags.ts';

export interface Found {
  readonly host: string;
  readonly process: AdoptedProcess;
  readonly flags: ReadonlyMap<string, string>;
  readonly layout: MesosLayout['kind'];
  /** The address at which it listens, if a flag sets it. */
  readonly address: string | undefined;
  readonly packages: AdoptedHost['packages'];
}

/** The service of each layout; those of `own` are the ones whose unit mesosup writes. */
const SERVICES: Readonly<Record<MesosLayout['kind'], Readonly<Record<AdoptedProcess['role'], string>>>> = {
  clusterd: { master: 'mesos-master.service', agent: 'mesos-agent.service' },
  legacy: { master: 'mesos-master.service', agent: 'mesos-slave.service' },
  own: { master: 'mesos-master.service', agent: 'mesos-agent.service' },
};

export function findMesos(hosts: readonly HostInput[]) {
  const errors: Problem[] = [];
  const notes: Problem[] = [];
  const all = hosts.flatMap((input) => findOn(input, errors, notes));
  return { all, errors, notes };
}

function findOn({ block, found }: HostInput, errors: Problem[], notes: Problem[]): Found[] {
  const host = block.name;
  const error = (message: string, remedy: string) =>
    errors.push({ host, check: 'adopt', message, remedy, severity: 'error' });
  const note = (message: string, remedy: string) =>
    notes.push({ host, check: 'adopt', message, remedy, severity: 'warning' });
  if (found.cluster !== '') {
    error(
      `the host belongs to the cluster "${found.cluster}", which mesosup installed`,
      'Use the cluster file and the state directory of that cluster.',
    );
    return [];
  }
  for (const file of found.zookeepers) {
    note(`ZooKeeper runs with ${file}`, 'mesosup uses it, and does not manage it.');
  }
  if (found.processes.length === 0) {
    if (found.zookeepers.length > 0) note('no Mesos runs on the host', 'It is not in the cluster file.');
    else error('no Mesos master or agent runs on the host', 'Start it, or leave out the host.');
    return [];
  }
  for (const role of ['master', 'agent'] as const) {
    const units = found.processes.filter((one) => one.role === role).map(({ unit }) => unit);
    if (units.length > 1)
      error(`${units.length} processes of a Mesos ${role} run (${units.join(', ')})`, 'Stop all but one.');
  }
  const legacy = found.processes.some(({ unit }) => unit === SERVICES.legacy.agent);
  return found.processes.map((process): Found => {
    const layout = usesWrapper(process) ? (legacy || isLegacy(found) ? 'legacy' : 'clusterd') : 'own';
    const flags = processFlags(process);
    const wanted = SERVICES[layout][process.role];
    if (process.unit !== wanted) {
      error(
        `the ${process.role} runs in ${unitPath(process)}, but mesosup manages ${wanted}`,
        process.unit === ''
          ? `Start it by a unit ${wanted}.`
          : `Give the unit the name ${wanted}. Tasks keep running if the unit of the agent has KillMode=process.`,
      );
    }
    findUnsupported(process, error);
    findLost(process, note);
    const ip = flags.get('ip') ?? '';
    const address = isIpv4(ip) && found.addresses.includes(ip) ? ip : undefined;
    return { host, process, flags, layout, address, packages: found.packages };
  });
}

function isLegacy({ packages }: AdoptedHost): boolean {
  return packages.mesos !== undefined && packages['aventer-mesos'] === undefined;
}

function unitPath({ unit, sources }: AdoptedProcess): string {
  return Object.keys(sources).find((path) => path.endsWith(`/${unit}`)) ?? (unit || 'no systemd unit');
}

/** The wrapper of a package makes flags of files. */
function usesWrapper(process: AdoptedProcess): boolean {
  return Object.entries(process.sources).some(
    ([path, text]) => path.endsWith('.service') && /^ExecStart=.*mesos-init-wrapper/m.test(text),
  );
}

function findUnsupported(process: AdoptedProcess, error: (message: string, remedy: string) => void): void {
  const tls = process.environment.LIBPROCESS_SSL_ENABLED ?? process.environment.SSL_ENABLED;
  if (tls === 'true' || tls === '1') {
    error(
      `${placeOf(process, 'LIBPROCESS_SSL_ENABLED')}: the ${process.role} uses TLS, which mesosup can't take over`,
      'Make a new cluster with mesosup, or keep managing this one yourself.',
    );
  }
}

/** Variables of systemd, shells and the packages' wrappers. */
const USUAL =
  /^(?:PATH|LANG|LANGUAGE|LC_.*|HOME|LOGNAME|USER|SHELL|PWD|OLDPWD|SHLVL|TERM|_|INVOCATION_ID|JOURNAL_STREAM|NOTIFY_SOCKET|SYSTEMD_.*|MEMORY_PRESSURE_.*|LISTEN_.*|MESOS_.*|ZK|IP|PORT|CLUSTER|LOGS|MASTER|ISOLATION|ULIMIT|CREDENTIALS_DIRECTORY)$/;

function findLost(process: AdoptedProcess, note: (message: string, remedy: string) => void): void {
  for (const name of Object.keys(process.environment).toSorted()) {
    const place = placeOf(process, name);
    // The program's own start script may set others.
    if (USUAL.test(name) || place === process.unit) continue;
    note(
      `${place}: the variable ${name} of the ${process.role} is not kept`,
      `If the ${process.role} needs it, set it in a drop-in of ${process.unit}.`,
    );
  }
  for (const [path, text] of Object.entries(process.sources)) {
    const index = text.split('\n').findIndex((line) => /^User=(?!root\s*$|0\s*$)/.test(line));
    if (index >= 0)
      note(
        `${path}:${index + 1}: the ${process.role} will run as root`,
        'mesosup runs Mesos as root, since tasks of several users need it.',
      );
  }
}
