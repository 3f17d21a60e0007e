/**
 * Causes every usage error of the commands, and prints the outputs. None has more than four lines, and each names what
 * to do. The last test finds errors in the source that no command line here causes.
 */
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { glob } from 'zx';
import { root, typed } from './demo-cluster.ts';

const program = path.join(root, 'bin/mesosup');
let directory: string;
const outputs: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-usage-'));
  const files = {
    'wrong.yaml': 'hosts:\n  - name: a\n    rols: [agent]\nprots: {}\n',
    'wronger.yaml': 'hosts: [a]\na: 1\nb: 1\nc: 1\nd: 1\ne: 1\n',
    'roles.yaml': 'hosts:\n  - name: a\n    roles: [agnet]\n',
    'flags.yaml': 'hosts: [a]\nschedulerFlags:\n  task_launch_timeot: 1\n',
    'one.yaml': 'hosts: [a]\n',
    'quorum.yaml': 'hosts: [a, b, c]\nmasterFlags: { quorum: 2 }\n',
    'text.json': 'hello',
    'other.json': '{"id": "/other", "cmd": "sleep 1"}',
    'object.json': '{}',
    'none.json': '{"apps": []}',
    'later.json': '{"format": 99, "release": "9.0.0", "plan": {}, "cluster": {}}',
    'scenario.yaml': 'agents: 3\n',
    'no-colon': 'hello\n',
    empty: '',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(path.join(directory, name), text);
  await mkdir(path.join(directory, 'folder'));
});
afterAll(async () => {
  process.stdout.write(`${outputs.join('\n\n')}\n`);
  await rm(directory, { recursive: true });
});

function mesosup(line: string) {
  return execa('/bin/sh', ['-c', `exec ${program} ${line}`], {
    cwd: directory,
    reject: false,
    stdin: 'ignore',
    env: { XDG_STATE_HOME: path.join(directory, 'state'), XDG_CONFIG_HOME: path.join(directory, 'config') },
  });
}

/** The command line, and its complete output. */
const EXACT: readonly [string, string][] = [
  [
    'instal',
    'mesosup has no command "instal"; did you mean "install"?\n→ List the commands with: mesosup help',
  ],
  [
    'takeover',
    'mesosup has no command "takeover"; did you mean "scheduler takeover"?\n→ List the commands with: mesosup help',
  ],
  [
    'scheduler backp',
    'mesosup scheduler has no command "backp"; did you mean "backup"?\n→ List the commands with: mesosup help scheduler',
  ],
  [
    'help instal',
    'mesosup has no command "instal"; did you mean "install"?\n→ List the commands with: mesosup help',
  ],
  [
    '--verbose plan',
    'the flag --verbose comes before the command\n→ Write the command first: mesosup plan --verbose',
  ],
  [
    'plan --hostss a',
    'mesosup plan has no flag --hostss; did you mean "--hosts"?\n→ List its flags with: mesosup plan --help',
  ],
  [
    'plan --jsn',
    'mesosup plan has no flag --jsn; did you mean "--json"?\n→ List its flags with: mesosup plan --help',
  ],
  ['ap list', 'mesosup has no command "ap"; did you mean "app"?\n→ List the commands with: mesosup help'],
  [
    'app list --contxt x',
    'mesosup app list has no flag --contxt; did you mean "--context"?\n→ List its flags with: mesosup app list --help',
  ],
  // The remedy is `-o json`.
  ['agents --json', 'mesosup agents has no flag --json'],
  ['plan -x', 'mesosup plan has no flag -x\n→ List its flags with: mesosup plan --help'],
  [
    'plan extra',
    'mesosup plan takes no argument, but the command line has "extra"\n→ Leave it out. The flags are in: mesosup plan --help',
  ],
  [
    'plan one.yaml',
    'mesosup plan takes no argument, but the command line has "one.yaml"\n→ Name the cluster file with a flag: mesosup plan --file one.yaml',
  ],
  [
    'simulate a b',
    'mesosup simulate takes only FILE, but the command line also has "b"\n→ For example: mesosup simulate scenario.yaml',
  ],
  ['simulate', 'mesosup simulate needs FILE\n→ For example: mesosup simulate scenario.yaml'],
  ['plan --hosts', '--hosts needs a value\n→ Write: --hosts a,b,c. See: mesosup plan --help'],
  [
    'init --mesos',
    '--mesos needs a value\n→ Write: --mesos clusterd|mesosphere|package|preinstalled. See: mesosup init --help',
  ],
  [
    'init --mesos clustred',
    '--mesos is "clustred": expected clusterd, mesosphere, package or preinstalled; did you mean "clusterd"?\n→ See: mesosup init --help',
  ],
  ['plan --port abc', '--port is "abc": expected an integer from 1 to 65535\n→ See: mesosup plan --help'],
  ['plan --port 99999', '--port is "99999": expected an integer from 1 to 65535\n→ See: mesosup plan --help'],
  [
    'plan --concurrency 0',
    '--concurrency is "0": expected an integer of at least 1\n→ See: mesosup plan --help',
  ],
  ['plan --port 1 --port 2', '--port is set twice\n→ Set it once.'],
  [
    'demo --once --detach',
    '--once and --detach exclude each other\n→ Use one of them. See: mesosup demo --help',
  ],
  [
    'completion fishy',
    '"fishy" is not possible here: expected bash, zsh or fish; did you mean "fish"?\n→ See: mesosup completion --help',
  ],
];

/** The command line, and a part of its output. */
const PARTS: readonly [string, string][] = [
  [
    'upgrade --file one.yaml --pause 5',
    '--pause is "5": expected a number with s, m or h\n→ For example: --pause 5m',
  ],
  ['node exec --file one.yaml --role zookeeper -- true', 'no host of mesosup has the role zookeeper'],
  ['node ssh --file one.yaml b', 'mesosup has no host "b"; did you mean "a"?'],
  ['secrets rotate --hosts a', 'no secret is named\n→ Name some of: mesosup secrets list.'],
  ['secrets rotate agent --all --hosts a', '--all rotates all secrets: remove the names, or --all'],
  [
    'secrets rotate agnet --hosts a',
    'there is no secret "agnet"; did you mean "agent"?\n→ List the secrets with: mesosup secrets list',
  ],
  [
    'secrets rotate zookeeper-mesos --hosts a',
    "zookeeper-mesos can't be rotated without an outage: the znodes of the masters belong to it",
  ],
  [
    'certs show --hosts a',
    'mesosup has no TLS, so it has no certificates\n→ Turn it on with: mesosup certs enable',
  ],
  ['doctor --yes', '--yes needs --fix: without it, the doctor changes nothing'],
  [
    'logs --file one.yaml --follow --json',
    '--json prints all lines at the end, so it needs a log that ends: omit --follow',
  ],
  [
    'logs --file one.yaml --run last',
    'there is no run of this cluster on this machine\n→ A run is kept on the machine from which it was started: ask there.',
  ],
  ['node exec --file one.yaml', 'name a command after --: mesosup node exec -- CMD'],
  ['node exec a -- reboot', 'mesosup node exec takes no argument, but the command line has "a"'],
  [
    'node remove a --file quorum.yaml',
    'masterFlags sets the quorum, which changes with the number of masters',
  ],
  ['node add b --hosts a', 'the cluster mesosup has no cluster file here that could be edited'],
  ['monitoring config --file one.yaml', 'the schedulers of mesosup need credentials'],
  ['monitoring config --lb a --user b', '--user needs --password-file'],
  [
    'monitoring config --lb a --user b --token-file c',
    "--token-file can't be combined with --user and --password-file",
  ],
  ['monitoring rules -o one.yaml', "one.yaml/mesosup-rules.yml can't be written: EEXIST"],
  ['monitoring serve', '--master and --agent are missing: name at least one of them'],
  ['backup x --file one.yaml', 'nothing is known about mesosup on this machine'],
  ['plan', 'no cluster "mesosup" was installed from this machine\n→ Make the file with "mesosup init"'],
  ['plan --file none.yaml', "none.yaml can't be read: there is no such file\n→ Check the path of the file."],
  ['plan --file folder', "folder can't be read: EISDIR\n→ Name a file, not a directory."],
  ['plan --file wrong.yaml', 'hosts[0].rols: unknown key; did you mean "roles"?'],
  ['plan --file wronger.yaml', 'and 2 more problems'],
  ['plan --file roles.yaml', 'not "agnet"; did you mean "agent"?'],
  ['plan --file flags.yaml', 'unknown flag; did you mean "task_launch_timeout"?'],
  ['plan --hosts a,b --masters a,b', '--masters names 2 hosts: use an odd number'],
  ['plan --hosts a --local', "--local and --hosts can't be combined: use one of them"],
  ['plan --masters a', '--masters needs --hosts: name all hosts'],
  ['plan --hosts a --masters b', '--masters names b, which is not among --hosts: add it'],
  ['install none.json', 'none.json is not a plan\n→ Make a plan with: mesosup plan --out FILE'],
  [
    'install missing.json',
    "missing.json can't be read: there is no such file\n→ Check the path of the file.",
  ],
  [
    'install one.yaml',
    'one.yaml is not a plan\n→ Name a cluster file with a flag: mesosup install --file one.yaml',
  ],
  ['install later.json', 'later.json'],
  ['adopt', 'name the hosts with a Mesos master or agent: mesosup adopt h1 h2 h3, or --local'],
  ['adopt a --file one.yaml', 'one.yaml already exists: overwrite it with --force'],
  ['init --no-input', 'name the hosts with --hosts a,b,c, or --local'],
  ['init --hosts a --file one.yaml', 'one.yaml already exists: overwrite it with --force'],
  ['init --hosts a --file no/where.yaml', "no/where.yaml can't be written: there is no such directory: name"],
  ['init --hosts a --key none', "--key: none can't be read: there is no such file"],
  ['plan --hosts a --key ~/none', "none can't be read: there is no such file\n→ Check the path of the file."],
  ['plan --hosts a, b --user x', '→ A list has commas and no blanks: --hosts a,b'],
  ['plan --hosts a b c', '→ A list has commas and no blanks: --hosts a,b,c'],
  ['install --hosts a b c', '→ A list has commas and no blanks: --hosts a,b,c'],
  ['init --hosts a --mesos package', 'mesos.from: is missing'],
  ['simulate none.yaml', "none.yaml can't be read: there is no such file\n→ Check the path of the file."],
  ['simulate scenario.yaml', 'scenario.yaml:1:9: agents'],
  [
    'scheduler import none.json --url ftp://x',
    "--url is 'ftp://x': expected a URL such as http://127.0.0.1:8080",
  ],
  ['scheduler import none.json --url http://a:b@x', '--url contains a password'],
  ['scheduler import none.json --credentials-file none', "--credentials-file can't be read"],
  ['scheduler import none.json --credentials-file empty', '--credentials-file: empty is empty'],
  ['scheduler import none.json --credentials-file no-colon', 'no-colon must contain USER:PASSWORD'],
  ['scheduler import text.json', 'text.json is not JSON'],
  ['scheduler import object.json', 'object.json is not an answer to GET /v2/groups or GET /v2/apps'],
  ['scheduler import none.json', "none.json has no apps\n→ Save Marathon's answer"],
  [
    'scheduler takeover http://127.0.0.1:1 --master-credentials-file none',
    "--master-credentials-file can't be read",
  ],
  [
    'scheduler takeover http://127.0.0.1:1 --master-credentials-file no-colon',
    '--master-credentials-file: no-colon must contain PRINCIPAL:SECRET',
  ],
  ['app run redis --cpus much', '--cpus much: expected a number, for example 0.5'],
  ['app list --context nowhere', '--context is "nowhere", which is not a context'],
  ['api GETT /v2/apps', '"GETT" is not a method of the API: use '],
  ['api GET v2/apps', 'the path "v2/apps" must begin with "/"'],
  ['context add a/b http://127.0.0.1:1', 'a/b'],
  ['context add x ftp://x', 'expected a URL such as'],
  ['context add x http://u:p@x', 'contains a user or password'],
  ['context add x http://127.0.0.1:1 --ca none', "--ca none can't be read: there is no such file"],
  ['context remove nowhere', 'nowhere'],
  ['scheduler backup - --json', '--json and FILE - would both write to standard output: name a file'],
  ['scheduler backup --zk zk://a/b --data-dir x', '--zk and --data-dir are both set: use only one of them'],
  ['scheduler backup --zk nonsense', '--zk: '],
  ['scheduler backup --zk zk://u:p@h/x', '--zk contains a password'],
  ['api FETCH /v2/apps', '"FETCH" is not a method of the API: use GET, POST'],
  ['api GET v2/apps', 'the path "v2/apps" must begin with "/", for example /v2/apps'],
  ['context add a http://x --ca none', "--ca none can't be read: there is no such file"],
  ['context add a b', 'URL is "b": expected a URL such as https://scheduler.example:8443'],
  ['context add a http://u:p@x', 'URL contains a user or password'],
  ['context add a/b http://x', '"a/b" is not a name of a context'],
  ['context add a http://x --token --no-check', 'the token is empty: type it, or write it to standard input'],
  ['app run image --cpus much', '--cpus much: expected a number, for example 0.5'],
  ['app run image --port x', '--port x: expected PORT or HOST:CONTAINER'],
  ['app logs', 'name either an app or a --task: mesosup app logs APP'],
  ['app logs web --grep "("', '--grep is not a regular expression: '],
  [
    'app logs web --since yesterday',
    '--since "yesterday" is not a duration such as 10m or 2h30m, or a time such as 2026-01-31T14:05:00Z',
  ],
  ['app scale web many', 'INSTANCES is "many": expected a whole number, for example 3'],
  ['app run -- ls -l', 'name the image before --: mesosup app run IMAGE -- ls -l'],
  ['app exec -- ls', 'name the app before --: mesosup app exec APP -- ls'],
  ['context use nowhere', 'CONTEXT is "nowhere", which is not a context'],
  ['app exec web', 'name a command after --: mesosup app exec web -- CMD'],
  ['app exec -t web -- sh', '--tty needs a terminal: leave it out in a pipe'],
  [
    'app canary web --share much',
    '--share much: expected a whole number of percent from 0 to 100, for example 10%',
  ],
  ['app canary web -f other.json', '--file other.json: expected a definition of /web only, not of /other'],
  ['app apply -f none.yaml', "none.yaml can't be read: there is no such file"],
  ['app apply -f folder', 'folder has no file that ends in .json, .yaml or .yml'],
  ['app apply -f text.json', 'text.json is neither an app with an id, nor a list of apps, nor a group'],
  ['app apply -f scenario.yaml --set x', '--set x: expected NAME=VALUE'],
  ['app list --context none', '--context is "none", which is not a context'],
  ['scheduler password empty', 'The password is empty: write it to standard input, or name a file'],
];

async function usageError(line: string): Promise<string> {
  const { exitCode, stdout, stderr } = await mesosup(line);
  outputs.push(`$ mesosup ${line}\n${stdout}${stderr}`);
  expect({ line, exitCode }).toEqual({ line, exitCode: 2 });
  if (line.includes('--json')) return JSON.parse(stdout).error.message;
  expect({ line, stdout }).toEqual({ line, stdout: '' });
  expect(stderr.split('\n').length, stderr).toBeLessThanOrEqual(4);
  return stderr;
}

test.each(EXACT)('mesosup %s', async (line, text) => {
  expect(await usageError(line)).toBe(text);
});

test.each(PARTS)('mesosup %s', async (line, text) => {
  expect(await usageError(line)).toContain(text);
});

test('with --json, a usage error is one object with its remedy', async () => {
  const { exitCode, stdout, stderr } = await mesosup('status nope --json');
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({
    error: {
      name: 'UsageError',
      message: 'mesosup status takes no argument, but the command line has "nope"',
      remedy: 'Leave it out. The flags are in: mesosup status --help',
    },
  });
});

test('a pass phrase that is typed differently the second time makes no backup', async () => {
  const state = path.join(directory, 'state');
  await mkdir(state, { mode: 0o700 });
  const secrets = path.join(root, 'test/fixtures/files-0.1.0/three/secrets.json');
  await copyFile(secrets, path.join(state, 'secrets.json'));
  await chmod(path.join(state, 'secrets.json'), 0o600);
  const file = path.join(directory, 'lab.backup');
  const shown = await typed(`${program} backup ${file} --hosts a --state ${state} --no-scheduler`, [
    { prompt: 'Pass phrase', answer: 'one\r' },
    { prompt: 'Pass phrase again', answer: 'two\r' },
  ]);
  expect(shown).toContain('the two answers for the pass phrase differ: run the command again');
  await expect(stat(file)).rejects.toThrow('ENOENT');
  outputs.push(shown);
});

test.each([
  ['-h', /USAGE\n {2}\$ mesosup \[COMMAND\]/],
  ['help', /USAGE\n {2}\$ mesosup \[COMMAND\]/],
  ['plan -h', /USAGE\n {2}\$ mesosup plan /],
  ['help plan', /USAGE\n {2}\$ mesosup plan /],
  ['help demo down', /USAGE\n {2}\$ mesosup demo down/],
  ['help scheduler', /USAGE\n {2}\$ mesosup scheduler COMMAND/],
  ['version', /^mesosup\/\d/],
  ['-v', /^mesosup\/\d/],
  ['version --json', /^\{\n {2}"version": "\d/],
])('mesosup %s answers', async (line, text) => {
  const { exitCode, stdout, stderr } = await mesosup(line);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toMatch(text);
});

/** Errors of the source that need a terminal, or a state that no command line here can have. */
const ELSEWHERE: readonly string[] = [
  // rotate-secrets.test.ts
  'the rotation of ',
  // commands-hosts.test.ts, scheduler-takeover.test.ts, and the tests of apps
  'Marathon does not show the address of its Mesos masters',
  'there is already ',
  ' was not added',
  'the CA file ',
  ' is empty: type it',
  'no terminal to ask for confirmation',
  // adopt.test.ts
  ' was installed from this machine already',
  // install-missing.test.ts, edit-spec.test.ts
  ' answers, so it is not dead',
  ' already has a host "',
  '", with another address, roles or attributes',
  " can't be edited: ",
  ' has no list of hosts that can be edited',
  ' has no agent: its roles are ',
  // examples.test.ts and app-commands.test.ts, with contexts and a cluster
  'there is already a context "',
  'there is already an app or group ',
  '" was not added',
  " can't be used: ",
  // canary.test.ts
  ' is an app of its own, not the canary of ',
  ' has no canary',
  ": it can't have a canary",
  ' was changed after its canary had started',
  ' has only one version: there is nothing to return to',
  ': expected NAME=VALUE',
  'a saved plan already contains its hosts and options',
  // hosts/offline.test.ts
  'the Docker of this machine has no image ',
  // upgrade.test.ts
  'that release of mesosup has no upgrade, so it does not know ',
  ' is preinstalled on the hosts: mesosup does not upgrade it',
  "--to can't choose a version: cluster.yaml names a package file for ",
  '", but cluster.yaml sets the version ',
  // Texts that oclif passes through unchanged; no command has such a flag.
  'needs --',
  ' needs ',
];

test('causes every usage error that the source throws', async () => {
  const files = await glob(
    ['src/cli/**/*.ts', 'src/cluster/**/*.ts', 'src/install/**/*.ts', 'src/scheduler/{backup,import}/*.ts'],
    { cwd: root, ignore: ['**/*.test.ts'] },
  );
  const all = outputs.join('\n');
  const missing: string[] = [];
  for (const file of files) {
    const source = await readFile(path.join(root, file), 'utf8');
    for (const [, literal = ''] of source.matchAll(/new UsageError\(\s*(`[^`]*`|'[^']*'|"[^"]*")/g)) {
      const pieces = literal.slice(1, -1).split(/\$\{(?:[^{}]|\{[^{}]*\})*\}/);
      const longest = pieces.toSorted((a, b) => b.length - a.length)[0] ?? '';
      const isCaused = all.includes(longest) || ELSEWHERE.some((text) => longest.startsWith(text));
      if (!isCaused) missing.push(`${file}: ${literal}`);
    }
  }
  expect(missing).toEqual([]);
});
