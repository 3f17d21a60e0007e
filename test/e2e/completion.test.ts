/** The built completion scripts and the man page in real shells and in mandoc. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMPLETIONS } from '../../src/cli/reference/completions.ts';
import { quote } from '../../src/hosts/quote.ts';
import { docCommand } from '../support/docs.ts';
import { mesosup, root, typed } from './demo-cluster.ts';

const share = path.join(root, 'dist/share');
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-completion-'));
  await writeFile(path.join(directory, 'spec file.yaml'), '');
});
afterAll(() => rm(directory, { recursive: true }));

/** Returns the shell's sorted candidates for the last word of a line. */
type Completer = (line: string) => Promise<string[]>;

/** Splits the words and calls the completion function like readline. */
const bash: Completer = async (line) => {
  const words = line.split(/ |(?<==)|(?==)/);
  const script = [
    docCommand('README.md', 'source <('),
    'compopt() { :; }',
    'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))',
    '"$(complete -p mesosup | sed "s/.*-F \\([^ ]*\\) .*/\\1/")"',
    `printf '%s\\n' "\${COMPREPLY[@]}"`,
  ].join('\n');
  const { stdout } = await execa('bash', ['--norc', '-euc', script, 'bash', ...words], {
    cwd: directory,
    env: { PATH: `${root}/bin:${process.env.PATH}` },
  });
  return stdout.split('\n').filter(Boolean).sort();
};

const fish: Completer = async (line) => {
  const script = `${quote(path.join(root, 'bin/mesosup'))} completion fish | source; complete -C ${quote(line)}`;
  const { stdout } = await execa('fish', ['--no-config', '-c', script], { cwd: directory });
  return stdout
    .split('\n')
    .map((offered) => offered.split('\t')[0] ?? '')
    .filter(Boolean)
    .sort();
};

/** Types the line and a tab in an interactive zsh, which shows the candidates; then runs the completed line, which prints it. */
async function zsh(line: string): Promise<string> {
  const start = [
    'unsetopt beep',
    'autoload -Uz compinit',
    'compinit -u -D',
    `source <(${quote(path.join(root, 'bin/mesosup'))} completion zsh)`,
    // So that only the line has to be typed: keys typed during a completion may be taken literally.
    'mesosup() { print -r -- mesosup "$@"; }',
    'PS1="rea""dy> "',
  ].join('; ');
  return typed(`cd ${quote(directory)} && PS1='begin> ' exec zsh -fi`, [
    { prompt: 'begin> ', answer: `${start}\r` },
    { prompt: 'ready> ', answer: `${line}\t\rexit\r` },
  ]);
}

/** mandoc prints bold as a character, a backspace and the same character. */
const OVERSTRUCK = new RegExp(`.${String.fromCharCode(8)}`, 'g');
const COMMANDS = [
  ...['completion', 'demo', 'init', 'install', 'plan'],
  ...['scheduler', 'start', 'status', 'stop', 'uninstall'],
];

test.each([
  ['bash', bash],
  ['fish', fish],
] as const)('%s completes commands, flags and their values', async (_name, complete) => {
  expect(await complete('mesosup ')).toEqual(expect.arrayContaining(COMMANDS));
  expect(await complete('mesosup st')).toEqual(['start', 'status', 'stop']);
  expect(await complete('mesosup demo ')).toEqual(['down', 'status']);
  expect(await complete('mesosup scheduler ')).toEqual([
    'backup',
    'import',
    'password',
    'restore',
    'takeover',
  ]);
  expect(await complete('mesosup scheduler restore --n')).toEqual(['--new-framework']);
  expect(await complete('mesosup demo --on')).toEqual(['--once']);
  expect(await complete('mesosup demo down --')).toEqual(['--help', '--json']);
  expect(await complete('mesosup status --kn')).toEqual(['--known-hosts']);
  expect(await complete('mesosup init --no')).toEqual(['--no-input']);
  expect(await complete('mesosup init --mesos pre')).toEqual(['preinstalled']);
  expect(await complete('mesosup install --file spec')).toEqual(['spec file.yaml']);
  expect(await complete('mesosup install spec')).toEqual(['spec file.yaml']);
  expect(await complete('mesosup init --name sp')).toEqual([]);
  expect(await complete('mesosup completion ')).toEqual(['bash', 'fish', 'zsh']);
});

/** A program in the place of mesosup, which prints these names. */
async function listing(names: string[], seconds = 0): Promise<string> {
  const place = await mkdtemp(path.join(directory, 'listing-'));
  await writeFile(path.join(place, 'names'), `${names.join('\n')}\n`);
  const script = `#!/bin/sh\ncase "$*" in\n  completion*) exec ${quote(path.join(root, 'bin/mesosup'))} "$@" ;;\nesac\nsleep ${seconds}\nexec cat ${quote(path.join(place, 'names'))}\n`;
  await writeFile(path.join(place, 'mesosup'), script, { mode: 0o755 });
  return place;
}

test.each(['bash', 'fish'])(
  '%s completes names that mesosup lists in time, and expands none',
  async (shell) => {
    // A busy machine may need longer than people wait.
    const patient = 'sed "s/timeout 0[.]3/timeout 20/"';
    const complete = async (line: string, place: string, through = patient) => {
      const words = line.split(' ');
      const script =
        shell === 'bash'
          ? `source <(mesosup completion bash | ${through}); compopt() { :; }; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _mesosup; printf '%s\\n' "\${COMPREPLY[@]}"`
          : `mesosup completion fish | ${through} | source; complete -C ${quote(line)}`;
      const args =
        shell === 'bash' ? ['--norc', '-uc', script, 'bash', ...words] : ['--no-config', '-c', script];
      const env = { PATH: `${place}:${process.env.PATH}` };
      const { stdout } = await execa(shell, args, { cwd: directory, env });
      const offered = stdout.split('\n').map((one) => one.split('\t')[0] ?? '');
      return offered.filter(Boolean).sort();
    };
    const hostile = ['/shop/web', '/shop/db', '$(touch ran)', '`touch ran`', 'a b'];
    const place = await listing(hostile);
    expect(await complete('mesosup app show sh', place)).toEqual(['shop/db', 'shop/web']);
    expect(await complete('mesosup app show /shop/w', place)).toEqual(['/shop/web']);
    expect(await complete('mesosup app list --context /s', place)).toEqual(['/shop/db', '/shop/web']);
    expect(await readdir(directory)).not.toContain('ran');
    const slow = await listing(['/shop/web'], 5);
    expect(await complete('mesosup app show s', slow, 'cat')).toEqual([]);
    expect(await complete('mesosup app dep', place)).toEqual(['deployments']);
    expect(await complete('mesosup app wa', place)).toEqual([]);
  },
);

test('completes a value after an equals sign in bash', async () => {
  expect(await bash('mesosup init --docker=d')).toEqual(['distribution', 'docker-ce']);
  expect(await bash('mesosup init --docker=')).toEqual(['distribution', 'docker-ce', 'preinstalled']);
});

test('zsh completes commands, flags and their values', async () => {
  const cases: [string, RegExp | string][] = [
    ['mesosup st', /start.*-- Start a cluster and wait.*\n.*status.*-- Show a cluster/],
    ['mesosup demo ', /down +-- End a demo/],
    ['mesosup sc', '\nmesosup scheduler'],
    [
      'mesosup scheduler ',
      /backup +-- Save.*\n.*import +-- Import.*\n.*password +-- Print.*\n.*restore +-- Restore/,
    ],
    ['mesosup scheduler restore --ne', '\nmesosup scheduler restore --new-framework'],
    ['mesosup demo --on', '\nmesosup demo --once'],
    ['mesosup demo down --js', '\nmesosup demo down --json'],
    ['mesosup init --mesos pre', '\nmesosup init --mesos preinstalled'],
    ['mesosup install --file spec', '\nmesosup install --file spec file.yaml'],
    ['mesosup completion f', '\nmesosup completion fish'],
  ];
  await Promise.all(
    cases.map(async ([line, expected]) => {
      const shown = await zsh(line);
      expect(shown).toMatch(expected);
    }),
  );
});

test('quotes texts with special characters of shells', async () => {
  const summary = 'it\'s [a] "b": $(touch ran) `touch ran` \\ ; touch ran';
  const flag = { name: 'odd', summary, value: 'FILE', options: [], negatable: false };
  const odd = { words: 'odd', summary, description: '', arguments: [], flags: [flag], examples: [] };
  const place = path.join(directory, 'odd');
  await mkdir(place);
  for (const [shell, completion] of Object.entries(COMPLETIONS)) {
    await writeFile(path.join(place, shell), completion([odd]));
    const before = shell === 'zsh' ? 'autoload -Uz compinit; compinit -u -D; ' : '';
    const { stderr } = await execa(shell, ['-c', `${before}source ./${shell}`], { cwd: place });
    expect(stderr).toBe('');
  }
  const { stdout } = await execa(
    'fish',
    ['-c', 'source ./fish; complete -C "mesosup o"; complete -C "mesosup odd --o"'],
    {
      cwd: place,
    },
  );
  expect(stdout.split('\n')).toEqual([`odd\t${summary}`, `--odd\t${summary}`]);
  expect((await readdir(place)).sort()).toEqual(Object.keys(COMPLETIONS).sort());
});

test('builds files for each shell that equal the output of the command', async () => {
  const files = {
    bash: 'bash-completion/completions/mesosup',
    zsh: 'zsh/vendor-completions/_mesosup',
    fish: 'fish/vendor_completions.d/mesosup.fish',
  };
  for (const [shell, file] of Object.entries(files)) {
    const { stdout } = await execa('cat', [path.join(share, file)]);
    expect((await mesosup('completion', shell)).stdout).toBe(stdout);
  }
  expect((await mesosup('completion', 'csh')).exitCode).toBe(2);
});

test('builds a valid man page with every command and flag', async () => {
  const page = path.join(share, 'man/man1/mesosup.1');
  const lint = await execa('mandoc', ['-T', 'lint', '-W', 'error', page], { reject: false, all: true });
  expect({ code: lint.exitCode, said: lint.all }).toEqual({ code: 0, said: '' });
  const { stdout } = await execa('mandoc', ['-T', 'ascii', '-O', 'width=300', page]);
  const shown = stdout.replaceAll(OVERSTRUCK, '');
  for (const command of COMMANDS) expect(shown).toMatch(new RegExp(`^ *mesosup ${command}\\b`, 'm'));
  const help = await mesosup('install', '--help');
  const flags = [...new Set(help.stdout.match(/--(?!help)[a-z][a-z-]+\b/g))];
  expect(flags.length).toBeGreaterThan(20);
  for (const flag of flags.filter((name) => !name.startsWith('--[no-]'))) expect(shown).toContain(flag);
});
