/** Looks for faults of a host itself: disks, names, Docker, and what earlier runs have left. */

import { count } from '../../text/count.ts';
import { KEPT_PAYLOADS } from '../upgrade/payloads.ts';
import { DOCKER_CONFIG } from '../wanted/docker.ts';
import { EXECUTOR } from '../wanted/executor.ts';
import { type Finding, finding, type Patient } from './finding.ts';
import { placesOf } from './request.ts';

const PERCENT = 100;
/** Parts of a file system that are free. */
const LOW = { error: 0.02, warning: 0.08 };
const FEW_INODES = 10_000;

/** File systems in memory, which lose everything when the host restarts. */
const VOLATILE = ['tmpfs', 'ramfs'];

/** Reports each file system once, with what is on it. */
export function disks({ cluster, host, seen }: Patient): Finding[] {
  const places = Object.entries(placesOf(cluster, host)).flatMap(([path, content]) => {
    const space = seen.spaces[path];
    return space ? [{ path, content, space }] : [];
  });
  const lasting = places.filter(({ path }) => path !== '/tmp' && path !== '/');
  // Directories with the same numbers are on the same file system.
  const systems = Map.groupBy(places, ({ space }) => JSON.stringify(space));
  return [
    ...[...systems.values()].flatMap((same) => full(host.name, same)),
    ...lasting
      .filter(({ space }) => VOLATILE.includes(space.type))
      .map(({ path, content, space }) =>
        finding(
          host.name,
          'volatile',
          `${path} is in memory (${space.type}): ${content} will be lost when the host restarts`,
          `Mount a disk there, or remove the mount: findmnt -T ${path}`,
        ),
      ),
  ];
}

type Place = {
  readonly path: string;
  readonly content: string;
  readonly space: Patient['seen']['spaces'][string];
};

function full(host: string, places: readonly Place[]): Finding[] {
  const space = places[0]?.space;
  if (space === undefined) return [];
  const where = places.map(({ path }) => path).join(', ');
  const evidence = places.map(({ path, content }) => `${path}: ${content}`);
  const percent = (part: number) => `${(part * PERCENT).toFixed(1)} %`;
  const found: Finding[] = [];
  if (space.freeBlocks < LOW.warning) {
    const message = `the disk of ${where} is nearly full: ${percent(space.freeBlocks)} are free`;
    const severity = space.freeBlocks < LOW.error ? 'error' : 'warning';
    const remedy = `Find what fills it: du -xh --max-depth=2 ${places[0]?.path} | sort -h | tail`;
    found.push(finding(host, 'disk', message, remedy, { evidence, severity }));
  }
  if (space.freeInodes < LOW.error && space.freeInodeCount < FEW_INODES) {
    const message = `the file system of ${where} can hold only ${count(space.freeInodeCount, 'more file')}`;
    const remedy = `Find the directory with most files: du -x --inodes ${places[0]?.path} | sort -n | tail`;
    found.push(finding(host, 'inodes', message, remedy, { evidence }));
  }
  return found;
}

export function names({ host, own, seen }: Patient): Finding[] {
  const lost = Object.entries(seen.names).filter(([, address]) => address === '');
  return [
    ...lost.map(([name]) =>
      finding(
        host.name,
        'dns',
        `the host can't resolve the name ${name}`,
        `Correct its DNS or /etc/hosts; test it with: getent hosts ${name}`,
        { evidence: [`getent ahostsv4 ${name}: no address`] },
      ),
    ),
    ...(seen.knowsItself
      ? []
      : [
          finding(
            host.name,
            'dns',
            `the host can't resolve its own name ${own.hostname}`,
            `Add it to /etc/hosts, in a line such as: 127.0.1.1 ${own.hostname}`,
            { severity: 'warning', evidence: [`getent hosts ${own.hostname}: no address`] },
          ),
        ]),
  ];
}

export function docker({ cluster, host, own, seen }: Patient): Finding[] {
  const { engine } = seen;
  if (!host.roles.includes('agent')) return [];
  if (engine === undefined) {
    if (!own.docker.running) return [];
    return [
      finding(
        host.name,
        'docker',
        'Docker runs, but does not answer within 10 s',
        'Read its log: journalctl -u docker -n 50  If it hangs: systemctl restart docker (containers go on running)',
        { evidence: ['docker info: no answer within 10 s'] },
      ),
    ];
  }
  const found: Finding[] = [];
  // A preinstalled Docker has the settings of its owner.
  const severity = cluster.docker.kind === 'preinstalled' ? 'warning' : 'error';
  if (!engine.liveRestore) {
    found.push(
      finding(
        host.name,
        'live-restore',
        "Docker's live-restore is off: all containers end when Docker restarts",
        `Set "live-restore": true in ${DOCKER_CONFIG}, then run: systemctl reload docker`,
        { severity, evidence: ['docker info: Live Restore Enabled: false'] },
      ),
    );
  }
  if (engine.driver === 'vfs' || engine.driver === 'devicemapper') {
    const why = engine.driver === 'vfs' ? 'copies each image for each container' : 'is no longer supported';
    found.push(
      finding(
        host.name,
        'storage-driver',
        `Docker's storage driver is ${engine.driver}, which ${why}`,
        `Use overlay2: remove "storage-driver" from ${DOCKER_CONFIG} and restart Docker. Its images are pulled again.`,
        { severity: 'warning', evidence: [`docker info: Storage Driver: ${engine.driver}`] },
      ),
    );
  }
  if (engine.cgroupDriver === 'none') {
    found.push(
      finding(
        host.name,
        'cgroup-driver',
        'Docker has no cgroup driver: limits of CPU and memory have no effect',
        'Mount the cgroup file system, then restart Docker.',
        { evidence: engine.warnings },
      ),
    );
  }
  found.push(...logRotation(host.name, engine.loggingDriver, own.files[DOCKER_CONFIG]?.text));
  return found;
}

function logRotation(host: string, driver: string, config: string | undefined): Finding[] {
  if (driver !== 'json-file' || config === undefined || config.includes('max-size')) return [];
  return [
    finding(
      host,
      'log-rotation',
      'Docker keeps all output of containers forever: its log files have no maximum size',
      `Add "log-opts": { "max-size": "256m", "max-file": "4" } to ${DOCKER_CONFIG}, then restart Docker.`,
      { severity: 'warning', evidence: [`docker info: Logging Driver: ${driver}`] },
    ),
  ];
}

export function orphans({ host, seen }: Patient): Finding[] {
  if (seen.orphans.length === 0) return [];
  return [
    finding(
      host.name,
      'orphans',
      `${count(seen.orphans.length, 'container')} ${seen.orphans.length === 1 ? 'belongs' : 'belong'} to no executor`,
      `A timer removes them within a minute. If they stay: ${EXECUTOR} janitor --once`,
      { severity: 'warning', evidence: seen.orphans.map(({ id, name }) => `${id.slice(0, 12)} ${name}`) },
    ),
  ];
}

/** What runs of mesosup and of dpkg have left. */
export function remains({ cluster, host, own }: Patient): Finding[] {
  const { run, payloads, current, released, inUse = [] } = own.mesosup;
  const found: Finding[] = [];
  if (run !== null && !run.alive) {
    found.push(
      finding(
        host.name,
        'run',
        `"mesosup ${run.command}" by ${run.who} ended unexpectedly, so the host may be half changed`,
        'Complete it: mesosup install',
        { fixable: true, evidence: [`run ${run.id}, began ${new Date(run.since).toISOString()}`] },
      ),
    );
  }
  if (own.dpkg.broken.length > 0) {
    found.push(
      finding(
        host.name,
        'dpkg',
        `dpkg was interrupted: ${own.dpkg.broken.join(', ')}`,
        'Complete it: dpkg --configure -a && apt-get -f install',
      ),
    );
  }
  if (own.mesosup.cluster !== '' && current === '' && own.mesosup.cluster === cluster.name) {
    found.push(
      finding(
        host.name,
        'payload',
        "mesosup's programs are missing: /opt/mesosup/current is gone",
        'Run: mesosup install',
        { fixable: true, evidence: [`versions in /opt/mesosup: ${payloads.join(', ') || 'none'}`] },
      ),
    );
  }
  // Versions from bootstrap.sh or a package are what people call; executors still run versions in use.
  const old = payloads.filter((version) => ![current, ...released, ...inUse].includes(version));
  if (old.length > KEPT_PAYLOADS) {
    found.push(
      finding(
        host.name,
        'payloads',
        `${count(old.length, 'old version')} of mesosup ${old.length === 1 ? 'takes' : 'take'} space in /opt/mesosup`,
        `Remove those you don't want to go back to: rm -r ${old.map((version) => `/opt/mesosup/${version}`).join(' ')}`,
        { severity: 'warning', evidence: [`versions: ${payloads.join(', ')}; in use: ${current}`] },
      ),
    );
  }
  return found;
}

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;

/** Keys of apt repositories that expire. */
export function keys({ host, own }: Patient): Finding[] {
  return Object.entries(own.files).flatMap(([path, { keys: found }]) => {
    if (found?.expires === undefined) return [];
    const days = Math.floor((found.expires - own.clock.now) / DAY_MS);
    if (days >= SOON_DAYS) return [];
    const date = new Date(found.expires).toISOString().slice(0, 10);
    const message =
      days < 0
        ? `the apt key ${path} expired on ${date}: apt refuses its repository`
        : `the apt key ${path} expires on ${date}, in ${count(days, 'day')}`;
    return [
      finding(host.name, 'key', message, 'Fetch the new key: mesosup install', {
        severity: days < 0 ? 'error' : 'warning',
        evidence: found.fingerprints,
      }),
    ];
  });
}
