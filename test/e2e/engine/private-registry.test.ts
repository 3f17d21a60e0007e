/** Pulls of the executor from a registry with authentication and TLS. */

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { DockerEngine } from '../../../src/docker/engine.ts';
import type { AgentPolicy } from '../../../src/executor/domain/policy.ts';
import { Images } from '../../../src/executor/images.ts';
import { BUSYBOX, makeTestImages } from '../support/busybox-image.ts';
import { executorBench } from '../support/executor-bench.ts';
import { taskOf } from '../support/executor-process.ts';
import { PASSWORD, PrivateRegistry, USER } from '../support/private-registry.ts';
import { startSchedulerCluster } from '../support/scheduler-cluster.ts';

const HELPER = '/usr/local/bin/docker-credential-mesosup-test';
const engine = new DockerEngine();
const bench = executorBench();
let registry: PrivateRegistry;
let directory: string;
let image: string;

beforeAll(async () => {
  await makeTestImages();
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-credentials-'));
  registry = await PrivateRegistry.start();
  image = await registry.push(BUSYBOX, 'team/app:1');
});
afterAll(async () => {
  await registry.stop();
  await rm(directory, { recursive: true, force: true });
  await rm(HELPER, { force: true });
});
afterEach(() => execa('docker', ['rmi', image], { reject: false }));

/** Pulls an image. @returns its name if it is on this machine afterwards */
async function pull(policy: AgentPolicy, fetched: string[] = [], name = image) {
  const images = new Images({
    engine,
    records: undefined,
    policy: () => ({ file: 'test', policy: { dockerConfig: '/nonexistent', ...policy } }),
  });
  const signal = AbortSignal.timeout(60_000);
  await images.prepare({ image: name, force: false, fetched, signal, note: () => {}, progress: () => {} });
  return (await engine.inspectImage(name)) === undefined ? undefined : name;
}

async function fileOf(name: string, content: string, mode = 0o600): Promise<string> {
  const file = path.join(directory, `${randomBytes(4).toString('hex')}-${name}`);
  await writeFile(file, content, { mode });
  return file;
}

/** Creates a directory with the files of a task. */
async function fetchedOf(name: string, content: string): Promise<string> {
  const root = await mkdtemp(path.join(directory, 'fetched-'));
  await mkdir(path.dirname(path.join(root, name)), { recursive: true });
  await writeFile(path.join(root, name), content);
  return root;
}

describe('credentials', () => {
  test('come from the agent’s policy, with the password or its file', async () => {
    const entry = { username: USER, password: PASSWORD };
    expect(await pull({ registries: { [registry.host]: entry } })).toBe(image);
    await execa('docker', ['rmi', image]);
    const passwordFile = await fileOf('password', `${PASSWORD}\n`);
    const fromFile = { [registry.host]: { username: USER, passwordFile } };
    expect(await pull({ registries: fromFile })).toBe(image);
    await execa('docker', ['rmi', image]);
    await chmod(passwordFile, 0o644);
    await expect(pull({ registries: fromFile })).rejects.toThrow(
      `Image ${image} can't be pulled: the password file ${passwordFile} on this agent: other users can read it`,
    );
  });

  test.each(['.docker/config.json', '.dockercfg', 'config.json'])(
    'come from %s among the fetched files, which counts more than the policy',
    async (name) => {
      const config = registry.clientConfig(PASSWORD);
      const content = name === '.dockercfg' ? JSON.stringify(JSON.parse(config).auths) : config;
      const wrong = { [registry.host]: { username: USER, password: 'wrong' } };
      expect(await pull({ registries: wrong }, [await fetchedOf(name, content)])).toBe(image);
    },
  );

  test('come from the configuration of the host’s client, or from its helper', async () => {
    const dockerConfig = await fileOf('config.json', registry.clientConfig(PASSWORD));
    expect(await pull({ dockerConfig })).toBe(image);
    await execa('docker', ['rmi', image]);
    const answer = JSON.stringify({ ServerURL: registry.host, Username: USER, Secret: PASSWORD });
    await writeFile(
      HELPER,
      `#!/bin/sh\n[ "$1" = get ] && [ "$(cat)" = "${registry.host}" ] || { echo "credentials not found"; exit 1; }\necho '${answer}'\n`,
      { mode: 0o755 },
    );
    const credHelpers = { [registry.host]: 'mesosup-test' };
    expect(await pull({ dockerConfig: await fileOf('config.json', JSON.stringify({ credHelpers })) })).toBe(
      image,
    );
    await writeFile(HELPER, '#!/bin/sh\necho "the vault is sealed"; exit 1\n');
    const store = await fileOf('config.json', '{"credsStore":"mesosup-test"}');
    await execa('docker', ['rmi', image]);
    await expect(pull({ dockerConfig: store })).rejects.toThrow(
      'docker-credential-mesosup-test failed: the vault is sealed',
    );
  });

  test('are never read through a link, and no helper is run for a task', async () => {
    const dockerConfig = await fileOf('config.json', registry.clientConfig(PASSWORD));
    const linked = await mkdtemp(path.join(directory, 'fetched-'));
    await symlink(directory, path.join(linked, '.docker'));
    await expect(pull({}, [linked])).rejects.toThrow(
      'the fetched file .docker/config.json is a link or lies behind one',
    );
    const file = await mkdtemp(path.join(directory, 'fetched-'));
    await mkdir(path.join(file, '.docker'));
    await symlink(dockerConfig, path.join(file, '.docker/config.json'));
    await expect(pull({}, [file])).rejects.toThrow('is a link');
    await writeFile(HELPER, `#!/bin/sh\ntouch ${directory}/ran\n`, { mode: 0o755 });
    await expect(
      pull({}, [await fetchedOf('.docker/config.json', '{"credsStore":"mesosup-test"}')]),
    ).rejects.toThrow(/no basic auth credentials/);
    expect((await execa('ls', [directory])).stdout).not.toMatch(/^ran$/m);
  });

  test('that are wrong or missing fail the pull with the registry’s words', async () => {
    const wrong = { [registry.host]: { username: USER, password: 'wrong' } };
    await expect(pull({ registries: wrong })).rejects.toThrow(/^Image .* can't be pulled: .*unauthorized/);
    await expect(pull({})).rejects.toThrow(/can't be pulled: .*no basic auth credentials$/);
    const right = { [registry.host]: { username: USER, password: PASSWORD } };
    await expect(pull({ registries: right }, [], `${registry.host}/team/app:absent`)).rejects.toThrow(
      /can't be pulled: manifest for .* not found: manifest unknown/,
    );
  });
});

test.each([
  [{ expired: true }, /can't be pulled: .*x509: certificate has expired/],
  [{ trusted: false }, /can't be pulled: .*x509: .*unknown authority/],
])('a registry whose certificate is %j fails the pull at once', async (options, message) => {
  const other = await PrivateRegistry.start(options);
  try {
    const registries = { [other.host]: { username: USER, password: PASSWORD } };
    await expect(pull({ registries }, [], `${other.host}/team/app:1`)).rejects.toThrow(message);
  } finally {
    await other.stop();
  }
});

test('an app with a docker.tar.gz, as users of Marathon have it, runs its private image', async () => {
  const home = await fetchedOf('.docker/config.json', registry.clientConfig(PASSWORD));
  const archive = path.join(home, 'docker.tar.gz');
  await execa('tar', ['-C', home, '-czf', archive, '.docker']);
  const cluster = await startSchedulerCluster();
  try {
    const api = async (method: string, route: string, app?: object) =>
      await fetch(`${cluster.url}/v2/apps${route}`, { method, ...(app && { body: JSON.stringify(app) }) });
    const app = {
      id: '/private',
      cmd: 'cat /mnt/mesos/sandbox/.docker/config.json && sleep 600',
      container: { docker: { image } },
      fetch: [{ uri: `file://${archive}` }],
      ...{ cpus: 0.1, mem: 32 },
    };
    expect((await api('POST', '', app)).status).toBe(201);
    await vi.waitFor(
      async () => {
        const { app: found } = (await (await api('GET', '/private')).json()) as {
          app: { tasksRunning: number; lastTaskFailure?: { message: string } };
        };
        expect([found.lastTaskFailure?.message, found.tasksRunning]).toEqual([undefined, 1]);
      },
      { timeout: 60_000, interval: 200 },
    );
    await api('DELETE', '/private');
  } finally {
    await cluster.stop();
  }
});

describe('an executor', () => {
  const policyFile = (policy: AgentPolicy, mode?: number) =>
    fileOf('executor.json', JSON.stringify(policy), mode);
  const withPassword = () => ({ registries: { [registry.host]: { username: USER, password: PASSWORD } } });

  test('pulls once for 20 tasks, and writes the password nowhere', async () => {
    const { agent } = bench;
    const before = await registry.pulls('team/app:1');
    const executor = await bench.start({
      env: { MESOSUP_EXECUTOR_CONFIG: await policyFile(withPassword()) },
    });
    const ids = Array.from({ length: 20 }, (_, i) => `t${i}`);
    for (const id of ids) agent.launch(taskOf(id, 'true', { image }));
    for (const id of ids) await agent.update(id, 'TASK_FINISHED');
    expect(await registry.pulls('team/app:1')).toBe(before + 1);
    expect(await executor.read('tasks/t0/stderr')).toContain(`Pulling ${image}`);
    const { stdout } = await execa(
      'grep',
      ['-rlE', `${PASSWORD}|${btoa(`${USER}:${PASSWORD}`)}`, executor.sandbox],
      {
        reject: false,
      },
    );
    expect(stdout).toBe('');
  });

  test('uses a task’s own credentials, which do not reach other tasks', async () => {
    const { agent } = bench;
    const executor = await bench.start({
      env: { MESOSUP_EXECUTOR_CONFIG: await policyFile({ dockerConfig: '/nonexistent' }) },
    });
    const files = path.join(executor.sandbox, 'tasks/own/sandbox/.docker');
    await mkdir(files, { recursive: true });
    await writeFile(path.join(files, 'config.json'), registry.clientConfig(PASSWORD));
    agent.launch(taskOf('none', 'true', { image }));
    expect((await agent.update('none', 'TASK_FAILED')).message).toContain('no basic auth credentials');
    agent.launch(taskOf('own', 'true', { image }));
    await agent.update('own', 'TASK_FINISHED');
  });

  test('runs an image with a digest, with and without a tag', async () => {
    const { agent } = bench;
    const file = await policyFile(withPassword());
    await pull(withPassword());
    const { stdout } = await execa('docker', ['image', 'inspect', '-f', '{{index .RepoDigests 0}}', image]);
    await execa('docker', ['rmi', image]);
    await bench.start({ env: { MESOSUP_EXECUTOR_CONFIG: file } });
    const [, digest = ''] = stdout.split('@');
    expect(digest).toMatch(/^sha256:/);
    for (const [id, name] of [
      ['plain', `${registry.host}/team/app@${digest}`],
      ['tagged', `${registry.host}/team/app:1@${digest}`],
      ['other', `${registry.host}/team/app:other@${digest}`],
    ] as const) {
      agent.launch(taskOf(id, 'true', { image: name }));
      await agent.update(id, 'TASK_FINISHED');
      await execa('docker', ['rmi', stdout]);
    }
  });

  test('refuses a policy with a password that others can read', async () => {
    const { agent } = bench;
    const file = await policyFile(withPassword(), 0o644);
    await bench.start({ env: { MESOSUP_EXECUTOR_CONFIG: file } });
    agent.launch(taskOf('t', 'true', { image }));
    expect((await agent.update('t', 'TASK_ERROR')).message).toContain(
      `${file} on this agent: contains passwords, but other users can read it. Run: chmod 600 ${file}`,
    );
  });
});
