/** All authentication flags on: which requests are accepted, and that no secret is shown. Realms and texts are Mesos'. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { signToken } from '../../src/embedded/wire/jwt.ts';
import { SmallFramework } from '../embedded/small-framework.ts';
import { decodeJson, encodeJson, type Report } from './support/behaviour.ts';
import { ask, askJson, type Program, Programs, processesOf } from './support/programs.ts';
import { executorInfo } from './support/tasks.ts';

const operator = { principal: 'operator', secret: 'open-sesame-operator' };
const scheduler = { principal: 'mesosup', secret: 'open-sesame-scheduler' };
const agentCredential = { principal: 'agent', secret: 'open-sesame-agent' };
const key = 'open-sesame-key-of-executors';
const all = [operator, scheduler, agentCredential];

let programs: Programs;
let master: Program;
let agent: Program;
let framework: SmallFramework;
let executor: Report & { task: string };

beforeAll(async () => {
  programs = new Programs();
  const credentials = programs.secret('credentials', { credentials: all });
  master = await programs.master([
    '--authenticate_agents',
    '--authenticate_http_frameworks',
    '--http_framework_authenticators=basic',
    '--authenticate_http_readonly',
    '--authenticate_http_readwrite',
    `--credentials=file://${credentials}`,
  ]);
  agent = await programs.agent(`file://${programs.secret('master.address', `${master.address}\n`)}`, [
    `--credential=${programs.secret('credential', agentCredential)}`,
    '--authenticate_http_readonly',
    '--authenticate_http_readwrite',
    '--authenticate_http_executors',
    `--http_credentials=${programs.secret('http_credentials', { credentials: [operator] })}`,
    `--jwt_secret_key=file://${programs.secret('jwt_secret_key', key)}`,
  ]);
  framework = new SmallFramework(master.address, {}, scheduler);
  await framework.launch('t', { executor: executorInfo('e') }, 'cpus:0.1;mem:32', { data: encodeJson({}) });
  const { data } = await framework.reached('t', 'TASK_RUNNING');
  executor = { ...decodeJson<Report>(data), task: 't' };
});

afterAll(async () => {
  await framework?.end();
  await programs?.[Symbol.asyncDispose]();
});

const refused = (realm: string) => ({
  status: 401,
  text: '401 Unauthorized.',
  headers: { 'www-authenticate': `Basic realm="${realm}"` },
});

/** The refusal of several authenticators: combined_authenticator.cpp. */
const refusedByAll = (realm: string) => ({
  status: 401,
  text: '"Basic" authenticator returned:\n401 Unauthorized.\n\n"Bearer" authenticator returned:\n401 Unauthorized.',
  headers: { 'www-authenticate': `Basic realm="${realm}",Bearer realm="${realm}"` },
});

describe('a master', () => {
  it.each([
    '/state',
    '/state.json',
    '/master/slaves',
    '/frameworks',
    '/tasks',
    '/flags',
    '/metrics/snapshot',
  ])('shows %s to those with credentials alone', async (path) => {
    expect(await ask(master.address, path)).toMatchObject(refused('mesos-master-readonly'));
    const wrong = { ...operator, secret: 'wrong' };
    expect((await ask(master.address, path, { credential: wrong })).status).toBe(401);
    expect((await ask(master.address, path, { credential: operator })).status).toBe(200);
  });

  it.each([
    ['/teardown', 'frameworkId=x', 400],
    ['/api/v1', { type: 'GET_AGENTS' }, 200],
    ['/api/v1', { type: 'DRAIN_AGENT', drain_agent: { agent_id: { value: 'x' } } }, 400],
  ])('does %s for those with credentials alone', async (path, body, status) => {
    expect(await ask(master.address, path, { body })).toMatchObject(refused('mesos-master-readwrite'));
    expect((await ask(master.address, path, { body, credential: operator })).status).toBe(status);
  });

  it('refuses an anonymous framework, and one with the principal of another', async () => {
    const path = '/api/v1/scheduler';
    const body = { type: 'SUBSCRIBE', subscribe: { framework_info: { user: 'root', name: 'x' } } };
    expect(await ask(master.address, path, { body })).toMatchObject(refused('mesos-master-scheduler'));
    const foreign = { type: 'TEARDOWN', framework_id: framework.info.id };
    expect(await ask(master.address, path, { body: foreign, credential: operator })).toMatchObject({
      status: 400,
      text: expect.stringContaining("Authenticated principal 'operator' does not match principal 'mesosup'"),
    });
  });

  it('refuses an anonymous agent, which keeps trying', async () => {
    const anonymous = await programs.agent(master.address, [], 'anonymous');
    await anonymous.waitForOutput(/401: it is not authenticated/);
    await master.waitForOutput(
      /Refusing registration of agent at \S*127\.0\.0\.1 because it is not authenticated/,
    );
    expect(await askJson(anonymous.address, '/metrics/snapshot')).toMatchObject({ 'slave/registered': 0 });
    const { slaves } = await askJson<{ slaves: object[] }>(master.address, '/slaves', operator);
    expect(slaves).toHaveLength(1);
    await anonymous.kill('SIGTERM');
  });

  it('refuses an agent with a wrong credential, which ends', async () => {
    const wrong = programs.secret('wrong', { principal: 'agent', secret: 'wrong' });
    const flags = [...programs.agentFlags(master.address, 'refused'), `--credential=${wrong}`];
    const refusedAgent = await programs.spawn('agent', flags);
    expect(await refusedAgent.exit).toBe(1);
    expect(refusedAgent.log()).toContain(`Master master@${master.address} refused authentication`);
  });

  it.each(['/health', '/version', '/redirect'])('requires no credentials for %s', async (path) => {
    expect((await ask(master.address, path)).status).toBe(path === '/redirect' ? 307 : 200);
  });
});

describe('an agent', () => {
  it.each([
    '/state',
    '/slave(1)/state',
    '/containers',
    '/flags',
    '/metrics/snapshot',
    '/files/browse?path=/',
  ])('shows %s to those with credentials alone', async (path) => {
    expect(await ask(agent.address, path)).toMatchObject(refusedByAll('mesos-agent-readonly'));
    expect((await ask(agent.address, path, { credential: operator })).status).not.toBe(401);
  });

  it('refuses anonymous calls', async () => {
    const answer = await ask(agent.address, '/api/v1', { body: { type: 'GET_HEALTH' } });
    expect(answer).toMatchObject(refusedByAll('mesos-agent-readwrite'));
  });

  it.each(['/health', '/version'])('requires no credentials for %s', async (path) => {
    expect((await ask(agent.address, path)).status).toBe(200);
  });

  const call = (executorId: string) => ({
    type: 'MESSAGE',
    framework_id: framework.info.id,
    executor_id: { value: executorId },
    message: { data: '' },
  });
  const path = '/api/v1/executor';

  it('refuses an anonymous executor, and one with a token of another key', async () => {
    expect(await ask(agent.address, path, { body: call('e') })).toMatchObject(
      refusedByAll('mesos-agent-executor'),
    );
    const token = signToken({ fid: framework.info.id?.value ?? '' }, Buffer.from('another key'));
    const answer = await ask(agent.address, path, { body: call('e'), token });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toContain(
      'Bearer realm="mesos-agent-executor", error="invalid_token", error_description="Invalid JWT: ',
    );
  });

  it('gives each executor a token that is only valid for itself', async () => {
    const token = executor.environment.MESOS_EXECUTOR_AUTHENTICATION_TOKEN ?? '';
    const [header, claims] = token.split('.').map((part) => Buffer.from(part, 'base64url').toString('utf8'));
    expect(JSON.parse(header ?? '')).toEqual({ alg: 'HS256', typ: 'JWT' });
    expect(JSON.parse(claims ?? '')).toEqual({
      fid: framework.info.id?.value,
      eid: 'e',
      cid: executor.directory.split('/').at(-1),
    });
    expect((await ask(agent.address, path, { body: call('e'), token })).status).toBe(202);
    await framework.launch('u', { executor: executorInfo('f') }, 'cpus:0.1;mem:32', { data: encodeJson({}) });
    await framework.reached('u', 'TASK_RUNNING');
    expect(await ask(agent.address, path, { body: call('f'), token })).toMatchObject({
      status: 403,
      text: expect.stringContaining("does not contain an 'eid' claim"),
    });
    const credential = operator;
    expect((await ask(agent.address, path, { body: call('f'), credential })).status).toBe(403);
  });

  it('does not pass the token of a command executor to the command', async () => {
    await framework.launch('c', { command: 'env; exec sleep 1000' });
    const { container_status, agent_id } = await framework.reached('c', 'TASK_RUNNING');
    const run = join(
      ...['slaves', agent_id?.value ?? '', 'frameworks', framework.info.id?.value ?? '', 'executors', 'c'],
      ...['runs', container_status?.container_id?.value ?? ''],
    );
    const stdout = join(programs.directory, 'agent', run, 'stdout');
    await vi.waitFor(() => expect(readFileSync(stdout, 'utf8')).toContain('MESOS_EXECUTOR_ID=c'));
    expect(readFileSync(stdout, 'utf8')).not.toContain('TOKEN');
  });
});

it('shows no secret in arguments, logs, flags and states', async () => {
  const shown = [
    ...processesOf(programs.directory).map(({ commandLine }) => commandLine),
    master.log(),
    agent.log(),
    ...(await Promise.all(
      [master, agent].flatMap(({ address }) =>
        ['/state', '/flags', '/metrics/snapshot'].map((path) =>
          ask(address, path, { credential: operator }).then(({ text }) => text),
        ),
      ),
    )),
  ].join('\n');
  expect(shown).toContain(join(programs.directory, 'jwt_secret_key'));
  expect(shown).not.toContain('open-sesame');
  expect(shown).not.toContain(executor.environment.MESOS_EXECUTOR_AUTHENTICATION_TOKEN);
});
