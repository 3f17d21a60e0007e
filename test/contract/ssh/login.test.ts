/** How a user shows who they are: keys in files, locked and not, the agent, and what is said when nothing will do. */

import { chmod, cp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Question } from '../../../src/hosts/questions.ts';
import { PASSWORD, type Sshd, SshLab, target } from './sshd.ts';

let lab: SshLab;
let sshd: Sshd;
let config: string;
/** A key that logs in, beside which there are others that don't. */
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

/** A real ssh-agent that holds these keys alone. */
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

/** Answers every question with what is expected next, and keeps the questions. */
function person(...answers: (string | undefined)[]) {
  const questions: Question[] = [];
  const ask = async (question: Question) => {
    questions.push(question);
    return answers.shift();
  };
  return { ask, questions };
}

const refused = { name: 'HostError', host: 'box', failure: 'authentication' };

test('a default key is found, and whoever it doesn’t let in is told what was offered', async () => {
  expect(await lab.open(sshd).run('true')).toMatchObject({ code: 0 });
  await expect(lab.open(sshd, { user: 'nobody-here' }).run('true')).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining(own),
    remedy: expect.stringContaining('ssh-copy-id'),
  });
});

test('a named key is tried before all others, and alone is not enough when it is the wrong one', async () => {
  const stranger = await lab.keygen('stranger');
  const elsewhere = { ...lab.person, home: path.join(lab.dir, 'nowhere') };
  const options = { person: elsewhere, configFile: 'none', knownHosts: path.join(lab.ssh, 'known_hosts') };
  await expect(lab.open(sshd, { key: stranger }, options).run('true')).rejects.toMatchObject(refused);
  expect(await lab.open(sshd, { key: own }, options).run('true')).toMatchObject({ code: 0 });
});

test.each(['rsa', 'ecdsa'])('a key of type %s, in the older format too', async (type) => {
  for (const format of ['RFC4716', 'PEM']) {
    const key = await lab.keygen(`${type}-${format}`, '-t', type, '-m', format);
    await lab.authorize(`${key}.pub`);
    await writeFile(config, `IdentityFile ${key}\nIdentitiesOnly yes`);
    expect(await lab.open(sshd).run('true')).toMatchObject({ code: 0 });
  }
});

test.each(['RFC4716', 'PEM'])(
  'a locked key (%s) asks for its pass phrase once for all hosts',
  async (format) => {
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
  },
);

test('a locked key without its pass phrase says what to do, and the phrase is in no message', async () => {
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

test('a locked key is not asked for when the host would not take it', async () => {
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

test('the agent’s keys serve, a named one first, and with IdentitiesOnly only named ones', async () => {
  const held = await lab.keygen('held');
  await lab.authorize(`${held}.pub`);
  // More strangers than sshd lets be tried; the named key comes before them.
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

test('an agent that doesn’t answer is no reason not to try the files', async () => {
  const env = { SSH_AUTH_SOCK: path.join(lab.dir, 'no-agent') };
  expect(await lab.open(sshd, {}, { person: { ...lab.person, env } }).run('true')).toMatchObject({ code: 0 });
});

test('a password is asked for where the host takes one, and for no other reason', async () => {
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

test('where a key and a password are both wanted, both are given', async () => {
  const both = await lab.start({
    config: ['PasswordAuthentication yes', 'AuthenticationMethods publickey,password'],
  });
  await lab.know(both);
  const { ask } = person(PASSWORD);
  expect(await lab.open(both, { user: 'free' }, { ask }).run('true')).toMatchObject({ code: 0 });
});

test('who ends the program at a prompt is not asked again, and that is no failure of the host', async () => {
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
  // Both at once: neither may fail while nobody looks.
  await Promise.all(
    runs.map((run) => expect(run).rejects.toMatchObject({ name: 'Error', message: 'the prompt was closed' })),
  );
  expect(asked).toBe(1);
});
