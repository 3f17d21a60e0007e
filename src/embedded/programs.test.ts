import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SmallFramework } from '../../test/embedded/small-framework.ts';

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
  /** What it wrote on standard error so far. */
  log: () => string;
  /** Resolves with the exit status. */
  exit: Promise<number | null>;
}

function run(name: 'master' | 'agent', ...args: string[]): Program {
  const path = join(import.meta.dirname, `${name}-main.ts`);
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'ignore', 'pipe'], env: {} });
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
    if (program.child.exitCode !== null) throw new Error(program.log());
    await once(program.child.stderr as NodeJS.ReadableStream, 'data');
  }
}

describe('master', () => {
  it('says where it listens, and ends at once on SIGTERM', async () => {
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
  ])('does not start with %j', async (args, message) => {
    const master = run('master', '--port=0', ...args);
    expect(await master.exit).toBe(1);
    expect(master.log()).toContain(message);
  });

  it('authenticates with a credentials file, whose secrets it shows nowhere', async () => {
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
    [
      ['--work_dir=/tmp', '--master=x', '--executor_environment_variables={"A":1}'],
      'only contain string values',
    ],
  ])('does not start with %j', async (args, message) => {
    const agent = run('agent', ...args);
    expect(await agent.exit).toBe(1);
    expect(agent.log()).toContain(message);
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'leaves its tasks running through %s and goes on',
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
