/** The scripts for hosts, tested with the shells and tools that run them. */

import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateSecrets } from '../../src/cluster/secrets.ts';
import type { PlanAction } from '../../src/install/item.ts';
import type { PlanItem } from '../../src/install/plan.ts';
import type { JournalEntry } from '../../src/install/resources/registry.ts';
import { type Resource, resourceId } from '../../src/install/resources/registry.ts';
import { applyScript, escapeCommands } from '../../src/install/script/apply-script.ts';
import { HOST_SCRIPTS } from '../../src/install/script/host-scripts.ts';
import { looseBytes } from '../../src/install/script/loose-text.ts';
import { parseFacts } from '../../src/install/script/parse-facts.ts';
import { pathWord } from '../../src/install/script/path-word.ts';
import { probeScript } from '../../src/install/script/probe-script.ts';
import { attachRunScript, startRunScript } from '../../src/install/script/run-scripts.ts';
import { simulationScript } from '../../src/install/script/simulation-script.ts';
import { scripts } from '../install/hosts.ts';
import { ROOT_ENVIRONMENT, TELLS_ENVIRONMENT } from '../support/root-environment.ts';
import { runs } from '../support/runs.ts';
import { SHELLS } from '../support/shells.ts';

const secrets = generateSecrets(randomBytes);
const digest = 'ab'.repeat(32);
const endpoint = { address: '192.0.2.1', port: 5050 };
const targets = {
  files: ['/etc/hostname', "/it's"],
  trees: ['/etc/apt'],
  packages: ['bash'],
  users: ['root', 'daemon'],
  services: ['ssh', 'janitor.timer'],
  ports: [22],
  disks: ['/var/lib/mesos', '/opt'],
  health: { zookeeper: 2181, master: 5050, agent: 5051, scheduler: 8080, agentWorkDir: '/var/lib/mesos' },
};

function wants(action: PlanAction, resource: Resource): PlanItem {
  return { id: resourceId(resource), action, title: '', diff: [], resource };
}
const undo = (action: PlanAction, id: string): PlanItem => ({ id, action, title: '', diff: [] });
const service = (action: PlanAction, more: object = {}) =>
  wants(action, {
    kind: 'service',
    name: 'mesos-agent',
    enabled: true,
    running: true,
    inputs: 'x',
    restartOn: [],
    ...more,
  });
const rights = { owner: 'daemon', group: 'root', mode: '0640' };
const facts = { type: 'file', mode: '0644', owner: 'root', group: 'root', sha256: digest } as const;

/** Every kind of item, with names that must be quoted. */
const EVERYTHING: PlanItem[] = [
  undo('repair', 'package:dpkg'),
  wants('create', { kind: 'file', path: '/it\'s $here `x`\n"', content: 'é\n', ...rights }),
  wants('create', { kind: 'directory', path: '/d d', only: ["a'b", 'c'], ...rights }),
  wants('create', { kind: 'link', path: '/l', target: '$HOME' }),
  wants('remove', { kind: 'absent', path: '/bad\udcff' }),
  wants('create', { kind: 'apt-key', path: '/k.asc', source: { file: 'k' }, content: 'AAAA' }),
  wants('create', { kind: 'file', path: '/s.list', content: 'deb x', ...rights, aptSource: true }),
  wants('install', { kind: 'package', name: 'p', version: '1:1.0' }),
  wants('install', { kind: 'package', name: 'q', file: { url: 'http://x/q.deb' }, sha256: digest }),
  wants('install', { kind: 'package', name: 'r', file: { upload: 'r.deb' }, sha256: digest }),
  wants('install', {
    kind: 'package',
    name: 'made',
    file: { control: "Package: made\nDescription: it's $here\n" },
  }),
  wants('create', { kind: 'user', name: 'u', home: '/h', groups: ['docker'] }),
  wants('create', { kind: 'payload', version: '1.0-a', sha256: digest, bytes: 1 }),
  service('enable'),
  service('start', { after: 'zookeeper-quorum' }),
  service('restart', {
    after: 'master-elected',
    check: { command: ["/it's", '--a=$b `c`'], properties: ['User=u'], before: ['link:/l'] },
  }),
  service('reload'),
  service('replace-agent'),
  service('stop', { enabled: false }),
  service('disable', { enabled: false, masked: true }),
  undo('stop', 'service:s'),
  undo('restore', 'service:s'),
  undo('restore', 'file:/f'),
  undo('restore', 'link:/l'),
  undo('restore', 'directory:/d'),
  undo('restore', 'user:u'),
  undo('restore', 'package:p'),
  undo('remove', 'package:q'),
  undo('restore', 'package:t'),
  { ...undo('remove', 'package:w'), byApt: true },
  undo('remove', 'user:v'),
  undo('remove', 'payload:1.0-a'),
  { ...undo('remove', 'directory:/var/lib/x'), whole: true },
  { ...undo('remove', 'service:mesos-agent'), endsTasks: null },
  { ...undo('remove', 'service:docker'), whole: true },
];
const JOURNAL: JournalEntry[] = [
  { kind: 'file', path: '/f', before: { facts, backup: digest } },
  { kind: 'link', path: '/l', before: { facts: { ...facts, type: 'link', target: 'a b' }, backup: '' } },
  { kind: 'directory', path: '/d', before: { facts: { ...facts, type: 'directory' }, backup: '' } },
  { kind: 'package', name: 'p', before: 'absent' },
  { kind: 'package', name: 't', before: { version: '1:2' }, removed: true },
  { kind: 'user', name: 'u', before: { groups: ['g'] } },
  { kind: 'service', name: 's', before: { enabled: 'enabled', running: true } },
];

function apply(command: 'install' | 'uninstall'): string {
  return applyScript(
    scripts,
    { host: 'h', items: EVERYTHING, basis: '' },
    {
      run: 'r-1',
      command,
      cluster: "it's",
      who: "o'neil@h (1)",
      secrets,
      journal: JOURNAL,
      zookeeper: [endpoint],
      masters: [endpoint],
      agent: endpoint,
      agentWorkDir: '/var/lib/mesos',
    },
  );
}

const SCRIPTS = [
  ['probe', probeScript(scripts, targets, { secrets })],
  ['apply', apply('install')],
  ['uninstall', apply('uninstall')],
  ['start of a run', startRunScript(scripts, 'r-1', 100)],
  ['attach', attachRunScript(scripts, 'r-1')],
  [
    'simulation',
    simulationScript(scripts, { packages: [{ name: 'p', version: '1:1.0' }, { name: 'q' }], sources: [] }),
  ],
  [
    'simulation with a repository',
    simulationScript(scripts, {
      packages: [{ name: 'p' }],
      sources: [{ path: "/etc/apt/sources.list.d/it's.list", content: "deb [x=y] http://it's/ z\n" }],
    }),
  ],
] as const;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-scripts-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe.each(SCRIPTS)('the script: %s', (_name, script) => {
  test.each(SHELLS)('%s can parse it', async (_shell, [program, ...args]) => {
    const { stderr } = await execa(program, [...args, '-n'], { input: script });
    expect(stderr).toBe('');
  });

  test('sets each variable in capital letters that it reads', () => {
    // Includes NF of awk.
    const others = ['HOME', 'IFS', 'NF', 'PATH', 'MESOSUP_SSH_CONNECTION'];
    const code = script.replace(/^ *#.*$/gm, '');
    const read = [...code.matchAll(/\$\{?([A-Z][A-Z_]+)\b/g)].map(([, name]) => name ?? '');
    const set = new Set([...code.matchAll(/^([A-Z][A-Z_0-9]+)=/gm)].map(([, name]) => name));
    expect(read.filter((name) => !set.has(name) && !others.includes(name))).toEqual([]);
  });

  test('shellcheck finds nothing wrong with it', async () => {
    const file = path.join(directory, 'script');
    await writeFile(file, script);
    const { stdout } = await execa('shellcheck', ['-s', 'sh', '-S', 'warning', file], { reject: false });
    expect(stdout).toBe('');
  });
});

test('templates/host contains only these scripts', async () => {
  const root = path.resolve(import.meta.dirname, '../../templates/host');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  expect(files.map((file) => path.relative(root, path.join(file.parentPath, file.name))).sort()).toEqual(
    [...HOST_SCRIPTS].sort(),
  );
});

describe.each(SHELLS)('the hook that apt runs before dpkg, in %s', (_shell, [program, ...args]) => {
  const hook = scripts['apply/apt-hook.sh'];
  const settings = ['VERSION 2', 'APT::Architecture=amd64', ''];
  const packages = [
    'ours 2.0 > - **REMOVE**',
    'libnew - < 1:2.0-1 DEBS/libnew_1%3a2.0-1_amd64.deb',
    'known 1.0 < 1.1 DEBS/known_1.1_all.deb',
    'older 3.0 > 2.0 DEBS/older_2.0_all.deb',
    'libnew - < 1:2.0-1 **CONFIGURE**',
  ];

  /** The file of former versions, and that of installed packages. */
  const former = () => path.join(directory, 'former');
  const installed = () => path.join(directory, 'installed');
  const sumOf = (text: string) => createHash('sha256').update(text).digest('hex');

  /** Runs the hook like apt, which has written before how much space it needs. */
  async function run(
    space: string,
    allowed = ['older'],
    more: readonly string[] = [],
    pins: readonly string[] = [],
  ) {
    const journal = path.join(directory, 'journal');
    const output = path.join(directory, 'output');
    const lines = [
      '{"kind":"package","name":"known","before":{"version":"0.9"}}',
      '{"kind":"package","name":"ours","before":"absent"}',
      '',
    ];
    await writeFile(journal, lines.join('\n'));
    const allowedFile = path.join(directory, 'allowed');
    await writeFile(allowedFile, `${allowed.join('\n')}\n`);
    await writeFile(output, `After this operation, ${space} of additional disk space will be used.\n`);
    const file = path.join(directory, 'hook');
    await writeFile(file, hook);
    const debs = path.join(directory, 'debs');
    await mkdir(debs, { recursive: true });
    for (const name of ['libnew_1%3a2.0-1_amd64', 'known_1.1_all', 'older_2.0_all'])
      await writeFile(path.join(debs, `${name}.deb`), name);
    const input = [...settings, ...packages, ...more, ''].join('\n').replaceAll('DEBS', debs);
    const pinFile = path.join(directory, 'pins');
    await writeFile(pinFile, `${pins.join('\n')}\n`);
    const files = [output, allowedFile, journal, former(), pinFile, installed()];
    const { exitCode, stdout } = await execa(program, [...args, file, ...files], { input, reject: false });
    return { exitCode, stdout, journal: (await readFile(journal, 'utf8')).split('\n').slice(2, -1) };
  }

  test('shellcheck finds nothing wrong with it', async () => {
    const { stdout } = await execa('shellcheck', ['-s', 'sh', '-S', 'warning', '-'], {
      input: hook,
      reject: false,
    });
    expect(hook).not.toBe('');
    expect(stdout).toBe('');
  });

  test('records the version that each package had before its last change', async () => {
    await writeFile(former(), 'known 0.8\nother 5\nknown 0.9\n');
    expect((await run('1,024 kB')).exitCode).toBe(0);
    expect(await readFile(former(), 'utf8')).toBe('known 1.0\nother 5\nours 2.0\nolder 3.0\n');
    await rm(former());
    await run('1,024 kB');
    expect(await readFile(former(), 'utf8')).toBe('ours 2.0\nknown 1.0\nolder 3.0\n');
  });

  test('records what apt takes, with the SHA-256 and one line for each package', async () => {
    await writeFile(installed(), `known 1.0 ${'0'.repeat(64)} 5\nother 7 ${'1'.repeat(64)} 6\n`);
    expect((await run('1 kB')).exitCode).toBe(0);
    const lines = (await readFile(installed(), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/ \d+$/, ''))).toEqual([
      `libnew 1:2.0-1 ${sumOf('libnew_1%3a2.0-1_amd64')}`,
      `known 1.1 ${sumOf('known_1.1_all')}`,
      `older 2.0 ${sumOf('older_2.0_all')}`,
      `other 7 ${'1'.repeat(64)}`,
    ]);
    expect(Math.abs(Number(lines[0]?.split(' ')[3]) - Date.now() / 1000)).toBeLessThan(300);
  });

  test('refuses another version or file than the plan pins, and records nothing', async () => {
    await rm(installed(), { force: true });
    const pins = [
      `libnew 1:1.9-1 ${'0'.repeat(64)}`,
      `known 1.1 ${'0'.repeat(64)}`,
      `unused 1 ${'0'.repeat(64)}`,
    ];
    const sum = sumOf('known_1.1_all');
    expect(await run('1 kB', ['older'], [], pins)).toEqual({
      exitCode: 1,
      stdout: [
        'versions.lock: libnew 1:1.9-1, and apt chose 1:2.0-1',
        `versions.lock: known 1.1 with the SHA-256 ${'0'.repeat(64)}, and apt fetched ${sum}`,
      ].join('\n'),
      journal: [],
    });
    await expect(readFile(installed(), 'utf8')).rejects.toThrow('ENOENT');
    const right = [`libnew 1:2.0-1 ${sumOf('libnew_1%3a2.0-1_amd64')}`, `known 1.1 ${sum}`];
    expect((await run('1 kB', ['older'], [], right)).exitCode).toBe(0);
  });

  test('records the state of each package that the journal lacks', async () => {
    expect(await run('1,024 kB')).toEqual({
      exitCode: 0,
      stdout: '',
      journal: [
        '{"kind":"package","name":"libnew","before":"absent"}',
        '{"kind":"package","name":"older","before":{"version":"3.0"}}',
      ],
    });
  });

  test("refuses to remove or downgrade the owner's packages, and records nothing", async () => {
    expect(await run('1 kB', [], ['known 1.0 > - **REMOVE**'])).toEqual({
      exitCode: 1,
      stdout: 'mesosup: downgrade older 3.0\nmesosup: remove known 1.0',
      journal: [],
    });
  });

  test('records a package that it removes with permission, once', async () => {
    const removal = ['gone 1:4 > - **REMOVE**', 'gone 1:4 > - **REMOVE**', 'known 1.0 > - **REMOVE**'];
    const { exitCode, journal } = await run('1 kB', ['*'], removal);
    expect(exitCode).toBe(0);
    expect(journal.slice(2)).toEqual([
      '{"kind":"package","name":"gone","before":{"version":"1:4"},"removed":true}',
      '{"kind":"package","name":"known","before":{"version":"1.0"},"removed":true}',
    ]);
  });

  test('stops apt if there is too little space', async () => {
    const { exitCode, stdout } = await run('9,999,999 GB');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^not enough free space: the packages need 9999999000 MB in \/usr, \d+ MB are free$/,
    );
  });
});

describe.each(SHELLS)('the watch of started services, in %s', (_shell, [program, ...args]) => {
  const steps = `${scripts['apply/services.sh']}${scripts['apply/service-watch.sh']}`;

  /** Recorded output of the init systems. Tests on hosts use real units. */
  const SAYS = {
    systemd: `systemctl() { cat <<'END'
MainPID=12
NRestarts=1
ActiveState=active
SubState=running

ActiveState=active
SubState=waiting

MainPID=0
NRestarts=2
ActiveState=activating
SubState=auto-restart

MainPID=7
NRestarts=0
ActiveState=activating
SubState=start
END
}`,
    upstart: `initctl() {
  case $2 in
    a) echo 'a start/running, process 12' ;;
    b) echo 'b start/running' ;;
    c) echo 'c stop/waiting' ;;
    d) echo 'd start/spawned, process 7' ;;
  esac
}`,
  };

  async function shell(init: keyof typeof SAYS, lines: string): Promise<string[]> {
    const fail = 'failing() { echo "$1"; exit; }';
    const input = [steps, `init=${init}`, SAYS[init], fail, lines].join('\n');
    return (await execa(program, args, { input })).stdout.split('\n');
  }

  test('systemd: reads each unit only from its own lines', async () => {
    const states = ['up/12/1', 'up/0/0', 'down/0/2', 'starting/7/0'];
    expect(await shell('systemd', 'unit_states a b c d')).toEqual(states);
  });

  test('Upstart', async () => {
    const states = ['up/12/0', 'up/0/0', 'down/0/0', 'starting/7/0'];
    expect(await shell('upstart', 'unit_states a.service b.service c.service d.service')).toEqual(states);
  });

  const watch = (...states: string[]) =>
    `watched='${states.map((state, i) => `${i}|${'abcd'[i]}|${'abcd'[i]}.service|x|${state}`).join(' ')}'`;
  test.each([
    ['one that is down', watch('up/12/1', 'up/0/0', 'up/3/0', 'up/7/0'), 'c does not stay up'],
    ['one that began again', watch('up/11/0', 'up/0/0', 'up/3/0', 'up/7/0'), 'a does not stay up'],
    ['those that are as they were', watch('up/12/1', 'up/0/0'), 'well'],
    ['none', 'watched=', 'well'],
  ])('%s', async (_what, watched, said) => {
    expect(await shell('systemd', `${watched}\ncheck_services\necho well`)).toEqual([said]);
  });
});

test('escapes any line of output as a JSON string', async () => {
  const bytes = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }).map((text) => Buffer.from(text)),
    fc.uint8Array({ maxLength: 40 }).map((raw) => Buffer.from(raw)),
  );
  const file = path.join(directory, 'escape');
  await writeFile(file, escapeCommands(scripts, [secrets.agent]));
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 30 }), async (chunks) => {
      const lines = chunks.map((chunk) => Buffer.from(chunk.filter((byte) => byte !== 10)));
      const input = Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]));
      const { stdout } = await execa('sed', ['-u', '-f', file, '-e', 's/.*/"&"/'], {
        input,
        encoding: 'buffer',
        env: { LC_ALL: 'C' },
      });
      const decoder = new TextDecoder();
      const read = decoder.decode(stdout).split('\n');
      expect(read.map((line) => JSON.parse(line))).toEqual(
        lines.map((line) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(line)),
      );
    }),
    { numRuns: runs(20) },
  );
});

test('replaces secrets by dots, and cuts very long lines', async () => {
  const file = path.join(directory, 'escape-2');
  await writeFile(file, escapeCommands(scripts, [secrets.agent]));
  const { stdout } = await execa('sed', ['-f', file], {
    input: `a ${secrets.agent} b\n${'x'.repeat(100_000)}\n`,
    env: { LC_ALL: 'C' },
  });
  expect(stdout.split('\n').map((line) => (line.length > 100 ? line.length : line))).toEqual([
    'a •••••••• b',
    4000,
  ]);
});

test.each(SHELLS)('quotes any path as one word for %s', async (_shell, [program, ...args]) => {
  const paths = fc
    .uint8Array({ min: 1, minLength: 1, maxLength: 30 })
    .map((raw) => new TextDecoder().decode(raw).replaceAll('\0', '').replaceAll('\ufffd', '\udcfe'));
  await fc.assert(
    fc.asyncProperty(fc.array(paths, { minLength: 1, maxLength: 10 }), async (all) => {
      const script = `printf '%s\\0' ${all.map((one) => pathWord(`/${one}\n`)).join(' ')}`;
      const { stdout } = await execa(program, args, { input: script, encoding: 'buffer' });
      expect(Buffer.from(stdout)).toEqual(
        Buffer.concat(all.flatMap((one) => [looseBytes(`/${one}\n`), Buffer.from([0])])),
      );
    }),
    { numRuns: runs(20) },
  );
});

test.each(SHELLS)(
  'a probe answers on this machine too, in one line, in %s',
  async (_shell, [program, ...args]) => {
    const odd = path.join(directory, `it's $(a) file\nof two "lines"`);
    await writeFile(odd, 'its text\n');
    await chmod(odd, 0o644);
    const files = [...targets.files, odd];
    const sentAt = Date.now();
    const { stdout } = await execa(program, args, {
      input: probeScript(scripts, { ...targets, files }, { secrets }),
    });
    expect(stdout.split('\n')).toHaveLength(1);
    const found = parseFacts(stdout, { sentAt, receivedAt: Date.now() });
    expect(Object.keys(found.packages)).toEqual(['bash']);
    expect(found.users.root?.uid).toBe(0);
    expect(Math.abs(found.clock.offsetMs)).toBeLessThan(1000);
    expect(found.files[odd]).toMatchObject({ type: 'file', text: 'its text\n' });
    expect(found.files['/etc/apt/sources.list.d']).toMatchObject({ type: 'directory' });
  },
);

test.each(['', '{}', '{"format":1', '{"format":2}'])(
  'what is no answer of a probe is refused: %s',
  (text) => {
    expect(() => parseFacts(text, { sentAt: 0, receivedAt: 0 })).toThrow(/not the answer of a probe/);
  },
);

test('a run that is started by setsid has only the environment of root’s scripts', async () => {
  const script = TELLS_ENVIRONMENT;
  const start = startRunScript(scripts, 'r-1', Buffer.byteLength(script));
  const alone = 'mount -t tmpfs tmpfs /var/lib && mount -t tmpfs tmpfs /run && cd / && exec /bin/sh -c "$1"';
  const env = { ...process.env, HOME: '/root', BASH_ENV: '/nowhere', SSH_CLIENT: 'x', LANG: 'tr_TR.UTF-8' };
  const { stdout } = await execa('unshare', ['--mount', 'sh', '-c', alone, 'sh', start], {
    env,
    input: script,
  });
  expect(stdout.split('\n')).toEqual([...ROOT_ENVIRONMENT, '{"followed":true}']);
});
