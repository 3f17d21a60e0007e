/**
 * The commands of people who run apps, in terminals and pipes, with real containers. They reach two schedulers by TLS
 * and token, first the one that does not lead.
 */

import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root, until } from './demo-cluster.ts';
import { BUSYBOX, makeTestImages } from './support/busybox-image.ts';
import { STYLE, shownBy } from './support/colours.ts';
import { Tmux } from './support/tmux.ts';
import { startTwoSchedulers, type TwoSchedulers } from './support/two-schedulers.ts';

const TOKEN = randomBytes(24).toString('hex');
const PROGRAM = path.join(root, 'bin/mesosup');

let schedulers: TwoSchedulers;
let environment: Record<string, string>;
let work: string;
/** What the terminals showed, for people to read. */
const screens: string[] = [];

beforeAll(async () => {
  await makeTestImages();
  schedulers = await startTwoSchedulers(TOKEN);
  work = path.join(schedulers.directory, 'work');
  await mkdir(work);
  environment = {
    XDG_CONFIG_HOME: path.join(schedulers.directory, 'config'),
    XDG_STATE_HOME: path.join(schedulers.directory, 'state'),
    PATH: `${path.join(root, 'bin')}:${process.env.PATH}`,
    HISTFILE: path.join(work, 'history'),
  };
});
afterAll(async () => {
  process.stdout.write(`${screens.join('\n\n')}\n`);
  await mesosup('api', 'DELETE', '/v2/groups?force=true');
  await until('no deployment runs', async () => {
    const { stdout } = await mesosup('app', 'deployments', '-o', 'name');
    return stdout === '';
  });
  await schedulers?.stop();
});

function mesosup(...args: string[]) {
  return execa(PROGRAM, args, { cwd: work, env: environment, reject: false, stdin: 'ignore', all: true });
}

async function leader(): Promise<string> {
  let found = '';
  await until('a scheduler leads', async () => {
    const { stdout } = await mesosup('api', 'GET', '/v2/leader');
    found = `https://${(JSON.parse(stdout) as { leader: string }).leader}`;
    return schedulers.urls.includes(found);
  });
  return found;
}

/** Runs a test in a terminal. */
async function inTerminal(columns: number, body: (terminal: Tmux) => Promise<void>): Promise<void> {
  const terminal = await Tmux.start(columns, 40, { directory: work, environment });
  try {
    await body(terminal);
  } finally {
    await terminal.end();
  }
}

function keep(title: string, screen: string): string {
  screens.push(`── ${title}\n${screen}`);
  return screen;
}

async function tasksOf(app: string): Promise<string[]> {
  return (await mesosup('app', 'tasks', app, '-o', 'name')).stdout.split('\n');
}

const SLEEPS = ['--cmd', 'echo up; sleep 1000', '--cpus', '0.05', '--mem', '16', '--network', 'host'];

test('adds a context by a token on standard input, which appears nowhere else', async () => {
  const [first = '', second = ''] = schedulers.urls;
  const args = ['context', 'add', 'two', second, first, '--token', '--ca', schedulers.caFile];
  const wrong = await execa(PROGRAM, args, { env: environment, reject: false, input: 'wrong\n', all: true });
  expect([wrong.exitCode, wrong.all]).toEqual([1, expect.stringContaining('The token is missing or wrong')]);
  const added = await execa(PROGRAM, args, { env: environment, input: `${TOKEN}\n`, all: true });
  expect(added.all).toContain('Added two');
  const file = path.join(environment.XDG_CONFIG_HOME ?? '', 'mesosup/contexts.json');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, 'utf8')).toContain(TOKEN);
  expect((await mesosup('context', 'use', 'two')).all).toContain('Commands now use two');
  expect((await mesosup('context', 'show')).all).toMatch(/Authentication {2}token\nCA file/);
  expect((await mesosup('credentials')).stdout).toBe(
    `header = "Authorization: Bearer ${TOKEN}"\ncacert = "${schedulers.caFile}"`,
  );
  await leader();
});

const WIDTHS = [60, 80, 200];

/** A plain command, which starts at once. */
const SLEEPER = { cmd: 'sleep 1000', cpus: 0.05, mem: 16 };

test('walks through the life of an app at 60, 80 and 200 columns', async () => {
  await Promise.all(WIDTHS.map((columns) => inTerminal(columns, (terminal) => walk(terminal, columns))));
  const { stdout } = await mesosup('app', 'list');
  expect(stdout).toContain(BUSYBOX);
  expect(stdout).not.toContain('\u001b');
});

async function walk(terminal: Tmux, columns: number): Promise<void> {
  const shows = async (line: string, exitCode = 0): Promise<string> => {
    const screen = keep(`${columns} columns`, await terminal.command(line));
    expect(screen).toMatch(new RegExp(`^\\[exit ${exitCode}\\]$`, 'm'));
    return screen;
  };
  const [id, plain] = [`shop/web${columns}`, `walk/plain${columns}`];
  const define = (changes: object) =>
    writeFile(
      path.join(work, `plain${columns}.json`),
      JSON.stringify({ id: `/${plain}`, ...SLEEPER, ...changes }),
    );
  await shows(
    `mesosup app run ${BUSYBOX} --id ${id} --instances 2 --cmd "sleep 1000" --cpus 0.05 --mem 16 --network host`,
  );
  // A row is one line: no line was broken by the terminal.
  expect(await shows('mesosup app list')).toMatch(/^\/shop\/web\d+ +(running|deploying) +2\/2/m);
  expect((await shows(`mesosup app tasks ${id}`)).split('\n')).toHaveLength(4);
  await shows(`mesosup app show ${id}`);
  await shows('mesosup agents');
  await shows('mesosup context list');

  await define({});
  const apply = `mesosup app apply -f plain${columns}.json`;
  expect(await shows(`${apply} --yes`)).toContain(`+ /${plain} is created`);
  await define({ cmd: 'sleep 2000' });
  await terminal.enter(`clear; ${apply}`);
  await terminal.shows(/Change 1 app\? \(y\/N\)/);
  await terminal.enter('y');
  const changed = keep(`${columns} columns`, await terminal.shows(/Deployed 1 app\./));
  expect(changed).toContain('~ cmd: sleep 1000 → sleep 2000');
  expect(await shows(`mesosup app history ${plain}`)).toMatch(
    /\(current\)\n {2}~ cmd: sleep 1000 → sleep 2000\n.*\n {2}first version/,
  );
  expect(await shows(`mesosup app rollback ${plain}`)).toContain('~ cmd: sleep 2000 → sleep 1000');

  // Without a check, the deployment may succeed before the program ends.
  const check = { protocol: 'COMMAND', command: { value: 'false' }, gracePeriodSeconds: 60 };
  const cmd = 'echo no config.yaml >&2; exit 3';
  await define({ cmd, maxFailures: 1, backoffSeconds: 0, healthChecks: [check] });
  const failed = await shows(`${apply} --yes`, 1);
  expect(failed.replaceAll('\n', '')).toMatch(
    / failed: .*status 3.*the deployment \S+ failed: ?.*→ It was rolled/,
  );
  expect(await shows(`mesosup app show ${plain}`)).toMatch(/^Status +running: 1 of 1 running/m);

  await shows(`mesosup app run ${BUSYBOX} --id large${columns} --mem 99999999 --cmd true --no-wait`);
  expect(await shows(`mesosup app why large${columns}`)).toContain('mem: 99999999');
  expect(await shows(`mesosup app stop large${columns} --yes --force`)).toContain('Removed');
  const unknown = await shows(`mesosup app show shop/wb${columns}`, 1);
  expect(unknown.replaceAll('\n', '')).toContain('did you mean "/shop/web');
}

test('applies files with a difference, a question, and no change the second time', async () => {
  const app = { id: '/apply/one', cmd: 'sleep {{ var.seconds }}', cpus: 0.05, mem: 16 };
  await writeFile(path.join(work, 'app.yaml'), JSON.stringify(app));
  await mesosup('app', 'apply', '-f', 'app.yaml', '--set', 'seconds=1000', '--yes');
  await inTerminal(80, async (terminal) => {
    await terminal.enter('mesosup app apply -f app.yaml --set seconds=2000');
    keep('apply', await terminal.shows(/Change 1 app\? \(y\/N\)/));
    await terminal.enter('y');
    const screen = keep('apply', await terminal.shows(/Deployed 1 app\./));
    expect(screen).toContain('~ cmd: sleep 1000 → sleep 2000');
  });
  const again = await mesosup('app', 'apply', '-f', 'app.yaml', '--set', 'seconds=2000', '--yes');
  expect([again.exitCode, again.stdout]).toEqual([0, expect.stringContaining('Nothing is to be changed.')]);
  const history = keep('history', (await mesosup('app', 'history', 'apply/one')).stdout);
  expect(history).toMatch(/\(current\)\n {2}~ cmd: sleep 1000 → sleep 2000\n.*\n {2}first version/);
  const back = await mesosup('app', 'rollback', 'apply/one');
  expect([back.exitCode, back.stdout]).toEqual([
    0,
    expect.stringContaining('~ cmd: sleep 2000 → sleep 1000'),
  ]);
});

test('shows the errors of a deployment that fails, and rolls it back', async () => {
  await mesosup('app', 'run', BUSYBOX, '--id', 'fails', ...SLEEPS);
  const { app } = JSON.parse((await mesosup('api', 'GET', '/v2/apps/fails')).stdout) as { app: object };
  // Without a check the deployment may succeed before the program ends.
  const check = { protocol: 'COMMAND', command: { value: 'false' }, gracePeriodSeconds: 60 };
  const cmd = 'echo no config.yaml >&2; exit 3';
  const broken = { ...app, cmd, maxFailures: 1, backoffSeconds: 0, healthChecks: [check] };
  await writeFile(path.join(work, 'fails.json'), JSON.stringify(broken));
  const { exitCode, all } = await mesosup('app', 'apply', '-f', 'fails.json', '--yes');
  keep('a deployment that fails', all ?? '');
  expect(exitCode).toBe(1);
  expect(all).toMatch(/Task fails\.\S+ on \S+ failed: .*status 3.*\n {2}\| no config\.yaml/);
  expect(all).toMatch(/^the deployment \S+ failed: .*\n→ It was rolled back/m);
  expect((await mesosup('app', 'show', 'fails')).stdout).toMatch(/^Status +running: 1 of 1 running/m);
});

test('explains why an app is waiting; Ctrl-C stops the waiting, not the deployment', async () => {
  await inTerminal(120, async (terminal) => {
    await terminal.enter(`mesosup app run ${BUSYBOX} --id large --mem 99999999 --cmd true; echo "[exit $?]"`);
    await terminal.shows(/\/large: 0 of 1 running, waiting: /);
    await terminal.key('C-c');
    const screen = keep('Ctrl-C while waiting', await terminal.shows(/\[exit 130\]/));
    expect(screen).toMatch(/Stopped waiting\. The deployment \S+ continues\./);
    const why = keep('why', await terminal.command('mesosup app why large'));
    expect(why).toMatch(/mem: 99999999/);
  });
  const { stdout } = await mesosup('app', 'deployments', '-o', 'name');
  expect(stdout).not.toBe('');
  expect((await mesosup('app', 'stop', 'large', '--yes', '--force')).exitCode).toBe(0);
});

test('runs commands in a container: in a terminal with a resize and Ctrl-C, and in a pipe', async () => {
  await mesosup('app', 'run', BUSYBOX, '--id', 'box', ...SLEEPS);
  await inTerminal(60, async (terminal) => {
    await terminal.enter('mesosup app exec -it box -- sh -c \'PS1=in exec sh\'; echo "[exit $?]"');
    await terminal.shows(/^in$/m);
    await terminal.enter('until busybox stty size | grep "40 60"; do sleep 0.1; done');
    await terminal.shows(/^40 60$/m);
    await terminal.resize(200, 33);
    await terminal.enter('until busybox stty size | grep "33 200"; do sleep 0.1; done');
    await terminal.shows(/^33 200$/m);
    await terminal.enter('sh -c \'echo be""gun; exec sleep 1000\'');
    await terminal.shows(/^begun$/m);
    await terminal.key('C-c');
    await terminal.enter('echo after $?; exit 5');
    keep('exec', await terminal.shows(/^\[exit 5\]$/m));
    // The terminal is as before.
    expect(await terminal.command('echo "still here"')).toMatch(/^still here$/m);
  });
  const piped = await execa(PROGRAM, ['app', 'exec', '-i', 'box', '--', 'tr', 'a-z', 'A-Z'], {
    env: environment,
    input: 'hello',
  });
  expect(piped.stdout).toBe('HELLO');
  const failed = await mesosup('app', 'exec', 'box', '--', 'sh', '-c', 'echo err >&2; exit 7');
  expect([failed.exitCode, failed.stdout, failed.stderr]).toEqual([7, '', 'err']);
  const none = await mesosup('app', 'exec', 'nobox', '--', 'true');
  expect([none.exitCode, none.stderr]).toEqual([1, expect.stringContaining("App '/nobox' does not exist")]);
});

test('uses colours in a terminal, none with NO_COLOR, and no control sequence on a dumb terminal', async () => {
  const run = `mesosup app run ${BUSYBOX} --id plain --cmd 'printf "\\\\033[31mred\\n"; sleep 1000' --cpus 0.05 --mem 16 --network host`;
  const walk = `${run} && until mesosup app logs plain | grep red >/dev/null; do sleep 0.2; done; mesosup app logs plain; mesosup app list; mesosup app history plain; mesosup app stop plain --yes`;
  const shown = async (env: Record<string, string>) =>
    keep(JSON.stringify(env), await shownBy(walk, { ...environment, ...env }));
  const start = String.fromCharCode(27);
  const colourful = await shown({});
  expect(colourful).toContain(`${start}[31mred`);
  expect(colourful).toMatch(/\[3\dmplain\S* \|/);
  const without = await shown({ NO_COLOR: '1' });
  expect(without).toMatch(/^plain\S* \| red/m);
  expect(without.match(STYLE)).toBeNull();
  const dumb = await shown({ TERM: 'dumb' });
  expect(dumb).toMatch(/^\/plain: \d of 1 running/m);
  expect(dumb).toMatch(/^\/plain +running +1\/1/m);
  expect(dumb).not.toContain(start);
});

test('follows the output of 10 instances over a replaced one and the death of the leader', async () => {
  const cmd = 'i=0; while true; do echo "line $i"; i=$((i+1)); sleep 1; done';
  const flags = ['--cmd', cmd, '--instances', '10', '--cpus', '0.05', '--mem', '16', '--network', 'host'];
  const ran = await mesosup('app', 'run', BUSYBOX, '--id', 'many', ...flags);
  expect(ran.exitCode, ran.all).toBe(0);
  const before = await tasksOf('many');
  const following = execa(PROGRAM, ['app', 'logs', 'many', '--follow', '--tail', '1'], {
    env: environment,
    reject: false,
    all: true,
  });
  let output = '';
  following.all?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const labels = () =>
    new Set([...output.matchAll(/^(many\.[\da-f]+) +\| line \d+$/gm)].map(([, label]) => label));
  await until('each instance writes', async () => labels().size === 10);
  const terminals = await Promise.all(
    WIDTHS.map((columns) => Tmux.start(columns, 40, { directory: work, environment })),
  );
  await Promise.all(
    terminals.map(async (terminal) => {
      await terminal.enter('clear; mesosup app logs many --follow --tail 1');
      await terminal.shows(/\| line \d+$/m);
    }),
  );
  const [killed = ''] = before;
  expect((await mesosup('api', 'DELETE', `/v2/apps/many/tasks/${killed}`)).exitCode).toBe(0);
  await until('the new instance writes', async () => labels().size === 11);
  expect(output).toContain('New task many.');
  try {
    await Promise.all(
      terminals.map(async (terminal, i) => {
        await terminal.shows(/New task many\./);
        await terminal.key('C-c');
        keep(`logs -f at ${WIDTHS[i]} columns`, await terminal.shows(/\| line \d+\n[\s\S]*\$$/m));
      }),
    );
  } finally {
    await Promise.all(terminals.map((terminal) => terminal.end()));
  }

  // A deployment is waiting, too, when the leader dies: for a task to become healthy.
  const checked = ['--volume', `${work}:/w`, '--check', 'cmd:test -e /w/ready'];
  const waiting = mesosup('app', 'run', BUSYBOX, '--id', 'late', ...SLEEPS, ...checked);
  let progress = '';
  waiting.stderr.on('data', (chunk: Buffer) => {
    progress += chunk.toString();
  });
  await until('the deployment waits', async () => progress.includes('1 of 1 running, 0 healthy'));
  const url = await leader();
  await schedulers.kill(url);
  const from = output.length;
  const isStillWaiting = await Promise.race([waiting.then(() => false), sleep(1000, true)]);
  expect(isStillWaiting).toBe(true);
  await writeFile(path.join(work, 'ready'), '');
  const { exitCode, stdout, stderr } = await waiting;
  keep('a deployment when the leader dies', `${stderr}\n${stdout}`);
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('Started /late: 1 instance.')]);
  await until('each instance writes again', async () => {
    const after = new Set(
      [...output.slice(from).matchAll(/^(many\.[\da-f]+) +\| line/gm)].map(([, one]) => one),
    );
    return after.size >= 10;
  });
  keep('logs', `${output.slice(0, 1500)}\n…\n${output.slice(-600)}`);
  following.kill('SIGINT');
  expect((await following).exitCode).toBe(130);
  // No line is missing or repeated: those of each instance are counted up.
  const next = new Map<string, number>();
  for (const [, label = '', number] of output.matchAll(/^(many\.[\da-f]+) +\| line (\d+)$/gm)) {
    const expected = next.get(label);
    if (expected !== undefined) expect(Number(number), label).toBe(expected);
    next.set(label, Number(number) + 1);
  }
  expect((await tasksOf('many')).length).toBeGreaterThanOrEqual(10);
});

test('shows the output since a time, and names tasks without times', async () => {
  const numbers = (output: string) =>
    [...output.matchAll(/^many\.[\da-f]+ +\| line (\d+)$/gm)].map(([, number]) => Number(number));
  const all = await mesosup('app', 'logs', 'many', '--since', '1d');
  expect([all.exitCode, numbers(all.stdout).filter((number) => number === 0)]).toEqual([
    0,
    Array(10).fill(0),
  ]);
  const time = new Date(Date.now() - 3000).toISOString();
  for (const flags of [[], ['--tail', '100'], ['--grep', 'line']]) {
    const last = await mesosup('app', 'logs', 'many', '--since', time, ...flags);
    expect(last.exitCode, last.all).toBe(0);
    expect(numbers(last.stdout).length).toBeGreaterThan(0);
    expect(numbers(last.stdout)).not.toContain(0);
  }
  // A plain command.
  const plain = await mesosup('app', 'logs', 'apply/one', '--since', '1s');
  expect([plain.exitCode, plain.stderr]).toEqual([1, expect.stringContaining('its output has no times')]);
});

test('keeps the token out of logs and of other files', async () => {
  expect(schedulers.log.join('\n')).not.toContain(TOKEN);
  for (const name of await readdir(work)) {
    expect(await readFile(path.join(work, name), 'utf8')).not.toContain(TOKEN);
  }
  expect(screens.join('\n')).not.toContain(TOKEN);
});
