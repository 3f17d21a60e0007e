/** Parses the parts of a probe's answer about the system, its init system and its services. */

import type { Facts, MesosupFacts } from '../facts.ts';
import type { DpkgFacts, PackageFacts, ServiceFacts, TakenPackage, UserFacts } from '../host-facts.ts';
import { parseJournal, parseRun } from './parse-journal.ts';

export const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Parses os-release: shell assignments that contain only quotes and backslashes as special characters. */
export function parseOsRelease(text: string): Facts['system'] {
  const values = new Map(
    lines(text).flatMap((line) => {
      const [, key, value] = /^([A-Z_]+)=(.*)$/.exec(line.trim()) ?? [];
      return key ? [[key, unquoted(value ?? '')] as const] : [];
    }),
  );
  const get = (key: string) => values.get(key) ?? '';
  return {
    id: get('ID'),
    version: get('VERSION_ID'),
    codename:
      get('VERSION_CODENAME') || get('UBUNTU_CODENAME') || /\(([a-z]+)\)/.exec(get('VERSION'))?.[1] || '',
    name: get('PRETTY_NAME'),
  };
}

function unquoted(value: string): string {
  const inner = /^"(.*)"$/.exec(value)?.[1] ?? /^'(.*)'$/.exec(value)?.[1] ?? value;
  return inner.replace(/\\(.)/g, '$1');
}

/** Docker's bridges for containers, which other hosts can't reach. */
const DOCKERS = /^(docker\d+|br-[0-9a-f]{12})$/;

/** Parses the output of `ip route` and `ip addr`, or of `hostname -I`. */
export function parseAddresses(text: string): string[] {
  const rows = lines(text);
  const fallback = rows[0] && /^[0-9a-f.: ]+$/i.test(rows[0]) ? rows[0].split(' ').filter(Boolean) : [];
  if (fallback.length > 0) return fallback;
  const route = rows.find((row) => row.startsWith('default ')) ?? '';
  const device = / dev (\S+)/.exec(route)?.[1];
  const source = / src (\S+)/.exec(route)?.[1];
  const found = rows.flatMap((row) => {
    const [, name = '', family, address = ''] = /^\d+: (\S+)\s+(inet6?) ([^/\s]+)/.exec(row) ?? [];
    if (!family || DOCKERS.test(name)) return [];
    const rank =
      address === source ? 0 : name === device && family === 'inet' ? 1 : family === 'inet' ? 2 : 3;
    return [{ address, rank }];
  });
  return found.sort((a, b) => a.rank - b.rank).map(({ address }) => address);
}

/** Parses the output of `stat -f -c '%a %S'`, one line for each target. */
export function parseDisks(text: string, asked: readonly string[]): Record<string, number> {
  const rows = lines(text);
  return Object.fromEntries(
    asked.flatMap((path, index) => {
      const [blocks, size] = (rows[index] ?? '').split(' ').map(Number);
      return blocks !== undefined && size ? [[path, blocks * size] as const] : [];
    }),
  );
}

/** Parses the output of `findmnt -o OPTIONS`, one line for each target. */
export function parseMounts(text: string, asked: readonly string[]): Facts['mounts'] {
  const rows = lines(text);
  return Object.fromEntries(
    asked.map((path, index) => {
      const options = (rows[index] ?? '').split(',');
      return [path, { noexec: options.includes('noexec'), readonly: options.includes('ro') }];
    }),
  );
}

/** Parses lines `NAME VERSION SHA256 SECONDS`. Their words are checked when they get into `versions.lock`. */
export function parseTaken(text: string): TakenPackage[] {
  return lines(text).flatMap((line): TakenPackage[] => {
    const [name, version, sha256 = '', seconds] = line.split(' ');
    if (name === undefined || version === undefined || seconds === undefined) return [];
    return [{ name, version, sha256: sha256 === '-' ? '' : sha256, taken: Number(seconds) }];
  });
}

export function parsePackages(text: string): { packages: Record<string, PackageFacts>; broken: string[] } {
  const packages: Record<string, PackageFacts> = {};
  const broken: string[] = [];
  for (const line of lines(text)) {
    const [name = '', version = '', status = ''] = line.split('\t');
    if (!/ not-installed$/.test(status)) packages[name] = { version, status };
    if (!/ ok (installed|config-files|not-installed)$/.test(status)) broken.push(name);
  }
  return { packages, broken };
}

export function dpkgFacts(held: string, left: string, broken: readonly string[]): DpkgFacts {
  const heldBy = lines(held)[0] ?? '';
  // An incomplete state is not broken while dpkg is running.
  return { heldBy, broken: heldBy === '' ? [...broken, ...lines(left)] : [] };
}

/** Parses the output of `id`: `uid=1(daemon) gid=1(daemon) groups=1(daemon),4(adm)`. */
export function parseUsers(text: string): Record<string, UserFacts> {
  const users: Record<string, UserFacts> = {};
  for (const line of lines(text)) {
    const [, uid, name, groups] = /^uid=(\d+)\(([^)]*)\) .*groups=(\S+)/.exec(line) ?? [];
    if (name && groups) {
      users[name] = { uid: Number(uid), groups: [...groups.matchAll(/\(([^)]*)\)/g)].map((m) => m[1] ?? '') };
    }
  }
  return users;
}

/** Parses the output of `ss -ltnp`, or /proc/net/tcp, which names no programs. */
export function parseListeners(text: string, ports: readonly number[]): Facts['listeners'] {
  const found = new Map<string, { port: number; program: string }>();
  for (const line of lines(text)) {
    const words = line.trim().split(/\s+/);
    const listed = words[0] === 'LISTEN' ? /:(\d+)$/.exec(words[3] ?? '')?.[1] : undefined;
    const raw = words[3] === '0A' ? /:([0-9A-F]{4})$/.exec(words[1] ?? '')?.[1] : undefined;
    const port = listed ? Number(listed) : raw ? Number.parseInt(raw, 16) : 0;
    if (!ports.includes(port)) continue;
    const program = /users:\(\("([^"]*)"/.exec(line)?.[1] ?? '';
    found.set(`${port} ${program}`, { port, program });
  }
  return [...found.values()];
}

export function parseInputs(text: string): Map<string, string> {
  return new Map(
    lines(text).map((line) => {
      const space = line.indexOf(' ');
      return [line.slice(space + 1), line.slice(0, space)] as const;
    }),
  );
}

const UNIT_FILE_STATES: Readonly<Record<string, ServiceFacts['enabled']>> = {
  enabled: 'enabled',
  'enabled-runtime': 'enabled',
  disabled: 'disabled',
  masked: 'masked',
  'masked-runtime': 'masked',
  static: 'static',
  indirect: 'static',
  generated: 'generated',
};

/** Parses the output of `systemctl show`: one block for each unit, in the order of `names`. */
export function parseUnits(
  text: string,
  names: readonly string[],
  inputs: ReadonlyMap<string, string>,
): Record<string, ServiceFacts> {
  const services: Record<string, ServiceFacts> = {};
  text
    .trim()
    .split(/\n\n/)
    .forEach((block, index) => {
      const name = names[index];
      const unit = new Map(lines(block).map((line) => line.split(/=(.*)/s, 2) as [string, string]));
      const get = (key: string) => unit.get(key) ?? '';
      if (name === undefined || get('LoadState') === '' || get('LoadState') === 'not-found') return;
      const file = get('FragmentPath');
      const generated = file.startsWith('/run/systemd/generator');
      const enabled = UNIT_FILE_STATES[get('UnitFileState')] ?? (generated ? 'generated' : 'unknown');
      services[name] = {
        enabled: get('LoadState') === 'masked' ? 'masked' : enabled,
        state: unitState(get('ActiveState'), get('SubState')),
        pid: Number(get('MainPID')) || 0,
        file: generated || file === '/dev/null' ? '' : file,
        inputs: inputs.get(name) ?? '',
        needsReload: get('NeedDaemonReload') === 'yes',
        restarts: Number(get('NRestarts')) || 0,
      };
    });
  return services;
}

function unitState(active: string, sub: string): ServiceFacts['state'] {
  if (active === 'failed' || sub === 'auto-restart' || sub === 'auto-restart-queued') return 'failed';
  if (active === 'active' || active === 'reloading') return 'running';
  return active === 'activating' ? 'starting' : 'stopped';
}

/** Parses Upstart's jobs: name, `yes` for a `manual` override, `initctl status` (`name start/running, process 12`). */
export function parseJobs(text: string, inputs: ReadonlyMap<string, string>): Record<string, ServiceFacts> {
  const services: Record<string, ServiceFacts> = {};
  for (const line of lines(text)) {
    const [name = '', manual, status = ''] = line.split('\t');
    const [, goal, state] = / (start|stop)\/([a-z-]+)/.exec(status) ?? [];
    services[name] = {
      enabled: manual === 'yes' ? 'disabled' : 'enabled',
      state: goal === 'start' ? (state === 'running' ? 'running' : 'starting') : 'stopped',
      pid: Number(/ process (\d+)/.exec(status)?.[1] ?? 0),
      file: `/etc/init/${name}.conf`,
      inputs: inputs.get(name) ?? '',
      needsReload: false,
      restarts: 0,
    };
  }
  return services;
}

/**
 * Parses `running` and the engine's version; or the client's path, and
 * `Docker version 20.10.24+dfsg1, build 297e128`.
 */
export function parseDocker(text: string): Facts['docker'] {
  const rows = lines(text);
  const running = rows[0] === 'running';
  const version = rows.map((row) => /^(?:Docker version )?(\d[^\s,]*)/.exec(row)?.[1]).find(Boolean);
  return { version: version ?? '', running };
}

/** Parses lines with a form and a path. */
export function parseOtherDockers(text: string): Facts['otherDockers'] {
  return lines(text).flatMap((line) => {
    const [form = '', path = ''] = line.split(/ (.*)/s);
    return form === 'snap' || form === 'static' || form === 'rootless' || form === 'desktop'
      ? [{ form, path }]
      : [];
  });
}

export function mesosupFacts(part: (name: string) => string): MesosupFacts {
  return {
    cluster: part('cluster').trim(),
    current: part('current').trim().split('/').at(-1) ?? '',
    payloads: lines(part('payloads')),
    released: lines(part('released')),
    // Services run through the link `current`, executors from the directory of their version.
    inUse: lines(part('in-use')).filter((version) => version !== 'current'),
    started: part('is-started') !== '',
    journal: parseJournal(part('journal')),
    run: parseRun(part('run')),
  };
}

/** Parses `NAME VALUE` lines. A later line overrides an earlier one. */
export function parseAgentFlags(text: string): Record<string, string> {
  return Object.fromEntries(
    lines(text).map((line) => {
      const end = line.indexOf(' ');
      return [line.slice(0, end), line.slice(end + 1)] as const;
    }),
  );
}

/** Parses the answer of `mesos_tls`, which is empty if it is not known. */
export function parseMesosTls(text: string): Pick<Facts, 'mesosTls'> {
  const answer = text.trim();
  return answer === '' ? {} : { mesosTls: answer === 'yes' };
}
