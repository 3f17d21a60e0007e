import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SmallFramework } from '../embedded/small-framework.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let directory: string;
let children: ChildProcess[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mesosup-programs-'));
  children = [];
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

interface Program {
  child: ChildProcess;
  /** Returns its standard error so far. */
  log: () => string;
  /** Resolves with the exit status. */
  exit: Promise<number | null>;
}

/** Starts a program. A master without `--work_dir` gets one. */
function run(name: 'master' | 'agent', ...flags: string[]): Program {
  const path = join(import.meta.dirname, '../../src/embedded', `${name}-main.ts`);
  const own = name === 'master' && !flags.some((arg) => arg.startsWith('--work_dir'));
  const args = [...flags, ...(own ? [`--work_dir=${join(directory, 'master')}`] : [])];
  const child = spawn(process.execPath, [path, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { MESOS_SYSTEMD_ENABLE_SUPPORT: 'false' },
  });
  children.push(child);
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
  });
  const exit = once(child, 'close').then(([code]) => code as number | null);
  return { child, log: () => text, exit };
}

/** Waits for `NAME listening on http://ADDRESS`. @returns the address */
async function listening(program: Program): Promise<string> {
  for (;;) {
    const found = / listening on http:\/\/(\S+)\n/.exec(program.log());
    if (found) return found[1] as string;
    const output = once(program.child.stderr as NodeJS.ReadableStream, 'data').then(() => 'more');
    if ((await Promise.race([output, program.exit])) !== 'more') throw new Error(program.log());
  }
}

describe('master', () => {
  it('reports its address, and ends immediately on SIGTERM', async () => {
    const master = run('master', '--port=0', `--work_dir=${directory}`, '--cluster=c');
    const address = await listening(master);
    const { cluster, flags } = (await (await fetch(`http://${address}/state`)).json()) as {
      cluster: string;
      flags: Record<string, string>;
    };
    expect(cluster).toBe('c');
    expect(flags).toMatchObject({ work_dir: directory, allocation_interval: '1secs' });
    master.child.kill('SIGTERM');
    expect(await master.exit).toBe(0);
  });

  it.each([
    [['--nonsense'], "Failed to load unknown flag 'nonsense'"],
    [['--authenticate_http_frameworks'], 'Missing `--http_framework_authenticators` flag'],
    [['--authenticate_http_readonly'], 'No credentials provided'],
    [['--authenticate_http_readonly', '--credentials=/nowhere'], 'ENOENT'],
    [['--authenticate_agents'], 'Failed to start master with authentication enabled'],
    [['--work_dir=/tmp', '--registry=elsewhere'], "'elsewhere' is not a supported option"],
    [['--zk=zk://127.0.0.1:1/mesos'], 'Need to specify --quorum'],
    [['--zk=zk://127.0.0.1:1', '--quorum=1'], "'/' is not supported"],
    [['--zk=zk://u:hush@/mesos', '--quorum=1'], 'Error parsing ZooKeeper URL'],
    [['--zk=file:///nowhere', '--quorum=1'], "Error reading file '/nowhere'"],
    [['--port=5050', '--port=5050'], "Flag 'port' is already loaded"],
  ])('does not start with %j', async (args, message) => {
    const master = run('master', '--port=0', ...args);
    expect(await master.exit).toBe(1);
    expect(master.log()).toContain(message);
    expect(master.log()).not.toContain('hush');
  });

  it('requires a directory for its registry, unless the registry is in memory', async () => {
    const path = join(import.meta.dirname, '../../src/embedded/master-main.ts');
    const bare = spawn(process.execPath, [path, '--port=0'], { stdio: ['ignore', 'ignore', 'pipe'] });
    children.push(bare);
    expect((await once(bare, 'close'))[0]).toBe(1);
  });

  it('starts with the flags of a real master, and writes its log into log_dir', async () => {
    const logs = join(directory, 'logs');
    const master = run(
      'master',
      '--port=0',
      `--log_dir=${logs}`,
      '--roles=a,b',
      '--weights=a=2',
      '--max_completed_frameworks=5',
      '--authenticate_slaves=false',
      '--no-root_submissions',
      '--offer_timeout=30secs',
      '',
    );
    const address = await listening(master);
    expect(readFileSync(join(logs, 'mesos-master.INFO'), 'utf8')).toContain(`http://${address}`);
  });

  it('shows its version', async () => {
    expect(await run('master', '--version').exit).toBe(0);
  });

  it('authenticates with a credentials file, and never shows its secrets', async () => {
    const file = join(directory, 'credentials');
    writeFileSync(file, JSON.stringify({ credentials: [{ principal: 'p', secret: 's3cret' }] }));
    const master = run('master', '--port=0', '--authenticate_http_readonly', `--credentials=file://${file}`);
    const url = `http://${await listening(master)}/state`;
    const refused = await fetch(url);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe('Basic realm="mesos-master-readonly"');
    const Authorization = `Basic ${Buffer.from('p:s3cret').toString('base64')}`;
    const answer = await fetch(url, { headers: { Authorization } });
    expect(answer.status).toBe(200);
    expect(await answer.text()).not.toContain('s3cret');
    expect(master.log()).not.toContain('s3cret');
  });
});

describe('agent', () => {
  it.each([
    [[], 'Missing required option --work_dir'],
    [['--work_dir=/tmp'], 'Missing required option --master'],
    [['--work_dir=/tmp', '--master=x', '--resources=cpus'], 'Bad value for resources'],
    [['--work_dir=/tmp', '--master=x', '--executor_reregistration_timeout=1mins'], 'not more than 15secs'],
    [['--nonsense'], "Failed to load unknown flag 'nonsense'"],
    [['--work_dir=/tmp', '--master=x', '--reconfiguration_policy=any'], "'reconfiguration_policy' flag any"],
    [['--work_dir=/tmp', '--master=x', '--recover=x'], "'recover' flag x"],
    [
      ['--work_dir=/tmp', '--master=x', '--authenticate_http_executors'],
      '--jwt_secret_key must be specified',
    ],
    [['--work_dir=/tmp', '--master=x', '--authenticate_http_readonly'], 'No credentials provided'],
    [
      ['--work_dir=/tmp', '--master=x', '--credential=/nowhere'],
      "Failed to read credentials file '/nowhere'",
    ],
    [['--work_dir=/tmp', '--master=zk://h/'], "'/' is not supported"],
    [
      ['--work_dir=/tmp', '--master=x', '--executor_environment_variables={"A":1}'],
      'only contain string values',
    ],
  ])('does not start with %j', async (args, message) => {
    const agent = run('agent', ...args);
    expect(await agent.exit).toBe(1);
    expect(agent.log()).toContain(message);
  });

  it('starts with the flags of a real agent', async () => {
    const agent = run(
      'agent',
      '--port=0',
      `--work_dir=${directory}`,
      '--master=127.0.0.1:1',
      '--containerizers=mesos',
      '--launcher=posix',
      '--isolation=posix/cpu,posix/mem',
      '--no-systemd_enable_support',
      '--cgroups_hierarchy=/sys/fs/cgroup',
      '--cgroups_enable_cfs',
      '--gc_delay=1weeks',
      '--gc_disk_headroom=0.1',
      '--executor_registration_timeout=5mins',
      '--no-strict',
    );
    await listening(agent);
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'keeps its tasks running through %s and continues',
    async (signal) => {
      const master = await listening(run('master', '--port=0', '--allocation_interval=100ms'));
      const args = [`--master=${master}`, `--work_dir=${directory}`, '--resources=cpus:4;mem:512'];
      const agent = run('agent', ...args, '--port=0');
      const port = (await listening(agent)).split(':')[1];
      const framework = new SmallFramework(master);
      await framework.launch('c', { command: 'exec sleep 1000' });
      const before = await framework.reached('c', 'TASK_RUNNING');
      agent.child.kill(signal);
      expect(await agent.exit).toBe(signal === 'SIGTERM' ? 0 : null);
      await listening(run('agent', ...args, `--port=${port}`));
      await framework.launch('d', { command: 'exit 0' });
      expect(await framework.reached('d', 'TASK_FINISHED')).toMatchObject({ agent_id: before.agent_id });
      await framework.kill('c');
      expect(await framework.reached('c', 'TASK_KILLED')).toMatchObject({
        container_status: { container_id: before.container_status?.container_id },
      });
      await framework.end();
    },
  );
});
