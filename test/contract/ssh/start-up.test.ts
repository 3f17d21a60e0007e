/** Scripts that run as root, with start-up files of login shells and exported variables that could disturb them. */

import { once } from 'node:events';
import { realpath } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scripts } from '../../install/hosts.ts';
import { ROOT_ENVIRONMENT } from '../../support/root-environment.ts';
import { type Login, PASSWORD, type Sshd, SshLab } from './sshd.ts';

let lab: SshLab;
let sshd: Sshd;

/** Lines in start-up files that disturb scripts in bash, zsh or any POSIX shell. */
const POSIX_NOISE = [
  'echo Welcome',
  'echo "You have new mail." >&2',
  'export PATH=/nowhere:. LANG=tr_TR.UTF-8 LC_ALL=de_DE.UTF-8 LC_NUMERIC=de_DE.UTF-8 HOME=/tmp',
  'export ENV=$HOME/.env BASH_ENV=$HOME/.env LD_LIBRARY_PATH=/nowhere GREP_OPTIONS=--color=always',
  'export IFS=x TMPDIR=/nowhere CDPATH=/usr',
  'umask 077',
  'set -e',
  'set -u',
  'cd /usr',
  'trap "echo Goodbye" EXIT',
  'alias sh=false id=false sudo=false env=false',
];
/** Lines for bash: exported functions, which /bin/sh would inherit if it is a bash. */
const FUNCTIONS = ['sh', 'id', 'sudo', 'env', 'head', 'cat', 'command', 'umask'].map(
  (name) => `${name}() { echo "not ${name}"; return 1; }; export -f ${name}`,
);
const BASH_NOISE = [
  'shopt -s expand_aliases',
  ...FUNCTIONS,
  ...POSIX_NOISE,
  'exec() { echo "exec $1"; builtin exec "$@"; }',
  'export SHELLOPTS',
  'set -x',
].join('\n');
const FISH_NOISE = [
  'echo Welcome; echo mail >&2',
  'set -gx PATH /nowhere',
  'set -gx LANG tr_TR.UTF-8; set -gx LC_ALL de_DE.UTF-8; set -gx HOME /tmp',
  'function sh; echo not sh; end; function id; echo not id; end; function sudo; echo not sudo; end',
  'alias env=false; umask 077; cd /usr',
].join('\n');

const NOISY: readonly Omit<Login, 'name'>[] = [
  { shell: '/bin/bash', files: { '.bashrc': BASH_NOISE } },
  { shell: '/bin/bash', files: { '.bashrc': 'set -euo pipefail\nexport BASH_ENV=~/.env\nset -x\n' } },
  { shell: '/bin/sh', files: { '.profile': POSIX_NOISE.join('\n'), '.env': 'echo env' } },
  { shell: '/usr/bin/zsh', files: { '.zshenv': `${POSIX_NOISE.join('\n')}\nalias -g true=false` } },
  { shell: '/usr/bin/fish', files: { '.config/fish/config.fish': FISH_NOISE } },
];
const BASHRC = (text: string) => ({ shell: '/bin/bash', files: { '.bashrc': text } });
const LOGINS: readonly Login[] = [
  ...NOISY.map((login, i) => ({ ...login, name: `user${i}` })),
  ...NOISY.map((login, i) => ({ ...login, name: `root${i}`, isRoot: true })),
  { name: 'waits', ...BASHRC('echo "Looking for updates"\nsleep 30') },
  { name: 'leaves', ...BASHRC('case $- in *i*) ;; *) echo "Not here." >&2; exit 3 ;; esac') },
  { name: 'greets', ...BASHRC('echo Welcome') },
  { name: 'becomes', ...BASHRC('exec fish') },
  { name: 'nologin', shell: '/usr/sbin/nologin' },
];

beforeAll(async () => {
  lab = await SshLab.make();
  sshd = await lab.start({
    logins: LOGINS,
    config: ['PermitUserEnvironment yes', 'AcceptEnv *'],
    sudoers: ['Defaults !env_reset', 'Defaults !secure_path'],
  });
  await lab.know(sshd);
});
afterAll(() => lab.remove());

const open = (user: string, rootTimeout = 60_000) =>
  lab.open(sshd, { user }, { rootTimeout, ask: async () => PASSWORD });

test.each(LOGINS.slice(0, 2 * NOISY.length).map(({ name, shell }) => [name, shell]))(
  'gives a script of %s (%s) a plain environment and only its own output',
  async (name) => {
    const script = [
      'env | grep -v "^_=\\|^MESOSUP_SSH_CONNECTION=" | sort; umask; pwd; id -u; echo $-; alias',
      'head -c 4; sh -c "echo sh"; cat; echo "to stderr" >&2; exit 5',
    ].join('\n');
    const result = await open(name).run(script, { input: Buffer.from('the input') });
    expect(result).toEqual({
      stdout: `${[...ROOT_ENVIRONMENT, '0022', '/', '0'].join('\n')}\n\nthe sh\ninput`,
      stderr: 'to stderr\n',
      code: 5,
      signal: null,
    });
  },
);

test.each(['user0', 'root0'])('gives a script of %s the addresses of its connection', async (name) => {
  const { stdout } = await open(name).run('echo "$MESOSUP_SSH_CONNECTION"');
  expect(stdout).toMatch(new RegExp(`^127\\.0\\.0\\.1 \\d+ 127\\.0\\.0\\.1 ${sshd.port}\n$`));
});

test('does not inherit exported functions if /bin/sh is a bash', async () => {
  const bash = await lab.start({
    logins: LOGINS.filter(({ name }) => name === 'user0'),
    instead: { [await realpath('/bin/sh')]: '/bin/bash' },
  });
  await lab.know(bash);
  const host = lab.open(bash, { user: 'user0' }, { ask: async () => PASSWORD });
  expect(await host.run('echo "$BASH"; id -u; cat', { input: Buffer.from('input') })).toEqual({
    stdout: '/bin/sh\n0\ninput',
    stderr: '',
    code: 0,
    signal: null,
  });
});

test('does not read ~/.bashrc in a bash that seems to be started by sshd', async () => {
  const server = createServer((socket) => socket.end('the answer\n')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const script = [
    'HOME=$(getent passwd greets | cut -d: -f6) SSH_CLIENT=x SHLVL=0; export HOME SSH_CLIENT SHLVL',
    'bash -c true',
    `${scripts['ask.sh']}echo question | ask 127.0.0.1 ${port}`,
  ].join('\n');
  expect((await open('greets').run(script)).stdout).toBe('Welcome\nthe answer\n');
  server.close();
});

test.each([
  ['waits', 4000, /did not run the command within 4 s; its output: Looking for updates$/, '~/.bashrc'],
  ['becomes', 4000, /did not run the command within 4 s/, 'start another shell'],
  ['leaves', 60_000, /ended with code 3 before it ran the command; its output: Not here\.$/, '~/.bashrc'],
  [
    'nologin',
    60_000,
    /ended with code 1 .*; its output: This account is currently not available\.$/,
    'nologin',
  ],
])(
  'names the login shell of the user “%s” as the cause, with a command that shows it',
  async (user, rootTimeout, message, remedy) => {
    const error = await open(user, rootTimeout)
      .run('true')
      .catch((e) => e);
    expect(error).toMatchObject({ name: 'HostError', host: 'box', failure: 'login' });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`box: the login shell of ${user} `);
    expect(error.remedy).toContain(remedy);
    expect(error.remedy).toContain(`: ssh -p ${sshd.port} ${user}@127.0.0.1 true`);
  },
);
