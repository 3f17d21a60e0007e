/** Authentication of a user: keys in files with and without a pass phrase, the agent, passwords, and the errors. */

import { chmod, cp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Question } from '../../../src/hosts/questions.ts';
import { PASSWORD, type Sshd, SshLab, target } from './sshd.ts';

let lab: SshLab;
let sshd: Sshd;
let config: string;
/** The key that the hosts accept; other keys are not accepted. */
let own: string;
let agent: { socket: string; pid: number } | undefined;

beforeAll(async () => {
  lab = await SshLab.make();
  sshd = await lab.start();
  await lab.know(sshd);
  config = path.join(lab.ssh, 'config');
  own = path.join(lab.ssh, 'id_ed25519');
});
beforeEach(() => writeFile(config, ''));
afterAll(async () => {
  if (agent) process.kill(agent.pid);
  await lab.remove();
});

/** A real ssh-agent with exactly these keys. */
async function agentWith(...keys: string[]): Promise<{ SSH_AUTH_SOCK: string }> {
  if (!agent) {
    const socket = path.join(lab.dir, 'agent');
    const { stdout } = await execa('ssh-agent', ['-s', '-a', socket]);
    agent = { socket, pid: Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1]) };
  }
  const env = { SSH_AUTH_SOCK: agent.socket };
  await execa('ssh-add', ['-D'], { env });
  for (const key of keys) await execa('ssh-add', [key], { env });
  return env;
}

/** Answers each question with the next answer, and records the questions. */
function person(...answers: (string | undefined)[]) {
  const questions: Question[] = [];
  const ask = async (question: Question) => {
    questions.push(question);
    return answers.shift();
  };
  return { ask, questions };
}

const refused = { name: 'HostError', host: 'box', failure: 'authentication' };

test('finds a default key, and lists the offered keys if the host rejects them', async () => {
  expect(await lab.open(sshd).run('true')).toMatchObject({ code: 0 });
  await expect(lab.open(sshd, { user: 'nobody-here' }).run('true')).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining(own),
    remedy: expect.stringContaining('ssh-copy-id'),
  });
});

test('tries a named key first, and fails if it is wrong and the only key', async () => {
  const stranger = await lab.keygen('stranger');
  const elsewhere = { ...lab.person, home: path.join(lab.dir, 'nowhere') };
  const options = { person: elsewhere, configFile: 'none', knownHosts: path.join(lab.ssh, 'known_hosts') };
  await expect(lab.open(sshd, { key: stranger }, options).run('true')).rejects.toMatchObject(refused);
  expect(await lab.open(sshd, { key: own }, options).run('true')).toMatchObject({ code: 0 });
});

test.each(['rsa', 'ecdsa'])('uses a key of type %s, also in the older format', async (type) => {
  for (const format of ['RFC4716', 'PEM']) {
    const key = await lab.keygen(`${type}-${format}`, '-t', type, '-m', format);
    await lab.authorize(`${key}.pub`);
    await writeFile(config, `IdentityFile ${key}\nIdentitiesOnly yes`);
    expect(await lab.open(sshd).run('true')).toMatchObject({ code: 0 });
  }
});

test.each(['RFC4716', 'PEM'])('asks for the pass phrase of a key (%s) once for all hosts', async (format) => {
  const key = await lab.keygen(`locked-${format}`, '-t', 'rsa', '-N', 'open sesame', '-m', format);
  await lab.authorize(`${key}.pub`);
  await writeFile(config, `IdentityFile ${key}\nIdentitiesOnly yes`);
  const { ask, questions } = person('wrong', 'open sesame');
  const hosts = lab.hosts({ ask });
  const other = await lab.start();
  await lab.know(other);
  const results = await Promise.all(
    [sshd, other].map(({ port }) =>
      hosts.open({ name: `h${port}`, address: '127.0.0.1', connection: { kind: 'ssh', port } }).run('true'),
    ),
  );
  expect(results).toMatchObject([{ code: 0 }, { code: 0 }]);
  expect(questions).toEqual([
    { kind: 'pass phrase', file: key, again: false },
    { kind: 'pass phrase', file: key, again: true },
  ]);
});

test('explains what to do without the pass phrase of a key, and never shows a pass phrase', async () => {
  const key = await lab.keygen('locked', '-N', 'open sesame');
  await lab.authorize(`${key}.pub`);
  await writeFile(config, `IdentityFile ${key}\nIdentitiesOnly yes`);
  await expect(lab.open(sshd).run('true')).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining('needs a pass phrase'),
    remedy: expect.stringContaining(`ssh-add ${key}`),
  });
  const { ask } = person('guess 1', 'guess 2', 'guess 3');
  const error = await lab
    .open(sshd, {}, { ask })
    .run('true')
    .catch((e) => e);
  expect(error).toMatchObject(refused);
  expect(`${error.message} ${error.remedy}`).not.toContain('guess');
});

test('does not ask for the pass phrase of a key that the host would not accept', async () => {
  const key = await lab.keygen('unwanted', '-N', 'open sesame');
  await writeFile(config, `IdentityFile ${key}\nIdentityFile ${own}`);
  const { ask, questions } = person();
  expect(await lab.open(sshd, {}, { ask }).run('true')).toMatchObject({ code: 0 });
  expect(questions).toEqual([]);
});

test.each([
  ['is not used, because other users can read it (mode 0644)', async (key: string) => chmod(key, 0o644)],
  ['is not a private key in a supported format', async (key: string) => writeFile(key, 'nonsense')],
  ['does not exist', async (key: string) => rm(key)],
])('reports a skipped key: it %s', async (problem, spoil) => {
  const key = path.join(lab.dir, 'spoilt');
  await cp(own, key);
  await spoil(key);
  await writeFile(config, `IdentityFile ${key}\nIdentitiesOnly yes`);
  await expect(lab.open(sshd).run('true')).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining(problem),
  });
});

test('uses the agent’s keys, named keys first, and with IdentitiesOnly only named keys', async () => {
  const held = await lab.keygen('held');
  await lab.authorize(`${held}.pub`);
  // More keys than sshd allows to try; the named key comes before them.
  const strangers = await Promise.all(Array.from({ length: 7 }, (_, i) => lab.keygen(`stranger${i}`)));
  const env = await agentWith(...strangers, held);
  await rm(held);
  const withAgent = { person: { ...lab.person, env } };
  await writeFile(config, `IdentityFile ${held}`);
  expect(await lab.open(sshd, {}, withAgent).run('true')).toMatchObject({ code: 0 });
  await writeFile(config, `IdentityFile ${held}\nIdentitiesOnly yes`);
  expect(await lab.open(sshd, {}, withAgent).run('true')).toMatchObject({ code: 0 });
  await writeFile(config, `IdentityFile ${strangers[0]}\nIdentitiesOnly yes`);
  await expect(lab.open(sshd, {}, withAgent).run('true')).rejects.toMatchObject(refused);
  await writeFile(config, '');
  await expect(lab.open(sshd, {}, withAgent).run('true')).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining('too many keys'),
  });
});

test('tries the key files if the agent doesn’t answer', async () => {
  const env = { SSH_AUTH_SOCK: path.join(lab.dir, 'no-agent') };
  expect(await lab.open(sshd, {}, { person: { ...lab.person, env } }).run('true')).toMatchObject({ code: 0 });
});

test('asks for a password only if the host accepts passwords', async () => {
  const open = await lab.start({ config: ['PasswordAuthentication yes'] });
  await lab.know(open);
  await writeFile(config, 'IdentityFile none\nIdentityAgent none');
  const right = person(PASSWORD);
  expect(await lab.open(open, { user: 'free' }, { ask: right.ask }).run('id -u')).toMatchObject({
    stdout: '0\n',
  });
  expect(right.questions).toEqual([
    { kind: 'login', host: 'box', user: 'free', text: "free@127.0.0.1's password:" },
  ]);
  const wrong = person('guess');
  await expect(lab.open(open, { user: 'free' }, { ask: wrong.ask }).run('true')).rejects.toMatchObject(
    refused,
  );
  const none = person('never');
  await expect(lab.open(sshd, { user: 'free' }, { ask: none.ask }).run('true')).rejects.toMatchObject(
    refused,
  );
  expect(none.questions).toEqual([]);
});

test('sends both a key and a password if the host requires both', async () => {
  const both = await lab.start({
    config: ['PasswordAuthentication yes', 'AuthenticationMethods publickey,password'],
  });
  await lab.know(both);
  const { ask } = person(PASSWORD);
  expect(await lab.open(both, { user: 'free' }, { ask }).run('true')).toMatchObject({ code: 0 });
});

test('asks nothing more after a closed prompt, and does not report it as an error of the host', async () => {
  const open = await lab.start({ config: ['PasswordAuthentication yes'] });
  await lab.know(open);
  await writeFile(config, 'IdentityFile none');
  let asked = 0;
  const ask = async () => {
    asked++;
    throw new Error('the prompt was closed');
  };
  const hosts = lab.hosts({ ask });
  const runs = ['free', 'asks'].map((user) => hosts.open(target(open, { user })).run('true'));
  // Awaits both at the same time, so that neither rejection is unhandled.
  await Promise.all(
    runs.map((run) => expect(run).rejects.toMatchObject({ name: 'Error', message: 'the prompt was closed' })),
  );
  expect(asked).toBe(1);
});
