/** Becoming root with the real sudo, in one round trip, with a password only if sudo asks for it. */

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Question } from '../../../src/hosts/questions.ts';
import { PASSWORD, type Sshd, SshLab } from './sshd.ts';

let lab: SshLab;
let sshd: Sshd;

beforeAll(async () => {
  lab = await SshLab.make();
  sshd = await lab.start();
  await lab.know(sshd);
});
afterAll(() => lab.remove());

function answering(...answers: (string | undefined)[]) {
  const questions: Question[] = [];
  const ask = async (question: Question) => {
    questions.push(question);
    return answers.shift();
  };
  return { ask, questions };
}

/** The output of a script as root; its input must arrive unchanged. */
const SCRIPT = 'id -u; echo "$HOME"; umask; cat; echo "to stderr" >&2; exit 5';
const input = Buffer.from('the input\n');
const seen = { stdout: '0\n/root\n0022\nthe input\n', stderr: 'to stderr\n', code: 5 };

test('asks for the password once per host, sends it to sudo only, and transfers script and input completely', async () => {
  const { ask, questions } = answering(PASSWORD);
  const host = lab.open(sshd, { user: 'asks' }, { ask });
  expect(await host.run(SCRIPT, { input })).toMatchObject(seen);
  expect(await host.run(SCRIPT, { input })).toMatchObject(seen);
  expect(questions).toEqual([{ kind: 'sudo', host: 'box', user: 'asks' }]);
});

test('sends no password if sudo asks for none', async () => {
  const { ask, questions } = answering('never');
  expect(await lab.open(sshd, { user: 'free' }, { ask }).run(SCRIPT, { input })).toMatchObject(seen);
  expect(questions).toEqual([]);
});

test('shows the password in no argument list', async () => {
  const { ask } = answering(PASSWORD);
  const script = 'cat /proc/[0-9]*/cmdline | tr "\\0" "\\n"';
  const { stdout } = await lab.open(sshd, { user: 'asks' }, { ask }).run(script);
  expect(stdout).toContain('sudo');
  expect(stdout).not.toContain(PASSWORD);
});

test('tries a wrong password once, and asks again for the next run', async () => {
  const { ask, questions } = answering('guess', PASSWORD);
  const host = lab.open(sshd, { user: 'asks' }, { ask });
  const error = await host.run(SCRIPT).catch((e) => e);
  expect(error).toMatchObject({ name: 'HostError', host: 'box', failure: 'root' });
  expect(error.message).toMatch(/password of asks is wrong/);
  expect(`${error.message}${error.remedy}`).not.toContain('guess');
  expect(await host.run(SCRIPT, { input })).toMatchObject(seen);
  expect(questions).toHaveLength(2);
});

test.each([
  [
    'no password is available',
    'asks',
    [undefined],
    /sudo asks for the password of asks, and none is available/,
  ],
  ['the user may not use sudo', 'refused', [PASSWORD], /sudo does not allow refused to become root/],
])('reports that %s', async (_what, user, answers, message) => {
  const { ask } = answering(...answers);
  await expect(lab.open(sshd, { user }, { ask }).run('true')).rejects.toMatchObject({
    failure: 'root',
    message: expect.stringMatching(message),
    remedy: expect.stringContaining(user),
  });
});

test('refuses sudo that allows only some commands', async () => {
  const some = await lab.start({ sudoers: ['refused ALL=(ALL) NOPASSWD: /bin/ls'] });
  await lab.know(some);
  await expect(lab.open(some, { user: 'refused' }, answering(PASSWORD)).run('true')).rejects.toMatchObject({
    failure: 'root',
    message: expect.stringContaining('does not allow refused to become root'),
  });
});

async function sudoFile(): Promise<string> {
  return (await execa('sh', ['-c', 'command -v sudo'])).stdout;
}

test('reports a missing sudo', async () => {
  const bare = await lab.start({ without: [await sudoFile()] });
  await lab.know(bare);
  await expect(lab.open(bare, { user: 'free' }).run('true')).rejects.toMatchObject({
    failure: 'root',
    message: expect.stringContaining('sudo is not installed'),
  });
  expect(await lab.open(bare).run('true')).toMatchObject({ code: 0 });
});

test.each([
  ['use_pty', [], true],
  ['lecture=always, log_output', [], true],
  ['passprompt="%u, please: ", passprompt_override', [], true],
  ['!use_pty, timestamp_timeout=0, passwd_tries=1', [], true],
  ['requiretty', [], false],
] as const)('handles sudo’s options %s', async (options, _none, works) => {
  const set = await lab.start({ sudoers: [`Defaults ${options}`] });
  await lab.know(set);
  const { ask } = answering(PASSWORD);
  const run = lab.open(set, { user: 'asks' }, { ask }).run(SCRIPT, { input });
  if (works) expect(await run).toMatchObject(seen);
  else
    await expect(run).rejects.toMatchObject({
      failure: 'root',
      remedy: expect.stringContaining('!requiretty'),
    });
});

test('ignores the output of a login shell, and quotes one that refuses', async () => {
  const talks = await lab.start({
    config: ['ForceCommand echo hello; set -x; eval "$SSH_ORIGINAL_COMMAND"'],
  });
  const refuses = await lab.start({ config: ['ForceCommand echo "Please log in as ubuntu."; exit 1'] });
  await lab.know(talks);
  await lab.know(refuses);
  const { ask, questions } = answering(PASSWORD);
  expect(await lab.open(talks, { user: 'free' }, { ask }).run(SCRIPT, { input })).toMatchObject(seen);
  expect(questions).toEqual([]);
  expect(await lab.open(talks, { user: 'asks' }, { ask }).run(SCRIPT, { input })).toMatchObject(seen);
  await expect(lab.open(refuses).run('true')).rejects.toMatchObject({
    failure: 'login',
    message: expect.stringContaining('Please log in as ubuntu.'),
  });
});

test('gives up a sudo that does not answer within the timeout', async () => {
  const fake = path.join(lab.dir, 'sleeping-sudo');
  await writeFile(fake, '#!/bin/sh\nexec sleep 30\n', { mode: 0o755 });
  const mute = await lab.start({ instead: { [await sudoFile()]: fake } });
  await lab.know(mute);
  await expect(lab.open(mute, { user: 'free' }, { rootTimeout: 4000 }).run('true')).rejects.toMatchObject({
    failure: 'root',
    message: expect.stringContaining('box: sudo did not answer within 4 s'),
    remedy: expect.stringContaining(`ssh -p ${mute.port} free@127.0.0.1 'sudo true'`),
  });
});
