/** What the scheduler uses of an agent to read the output and the files of tasks: `/slaves`, and `/files` of the agent. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { AgentAddresses, AgentError } from '../../src/scheduler/sandbox/agent-addresses.ts';
import { AgentFiles, type Sandbox } from '../../src/scheduler/sandbox/agent-files.ts';
import { TestFramework, unique } from './support/framework.ts';
import { master } from './support/mesos.ts';
import { commandTask } from './support/tasks.ts';

/** Writes every byte, links, and a large file, and shows the output when all is there. */
const COMMAND = [
  'i=0; while [ $i -lt 256 ]; do printf "\\\\$(printf %o $i)"; i=$((i+1)); done >bytes',
  'mkdir below && echo in >below/file && ln -s below/file inside && ln -s below directory',
  'ln -s /etc/passwd outside && ln -s ../../../../../../../../../../etc up && ln -s none dangling',
  'mkfifo fifo',
  'head -c 200000 /dev/zero >large && : >empty',
  'echo "a b" >"name with %20 and + ü"',
  'echo ready; echo problem >&2; sleep 600',
].join('\n');

let framework: TestFramework;
let files: AgentFiles;
let agents: AgentAddresses;
let sandbox: Sandbox;

beforeAll(async () => {
  framework = await TestFramework.subscribe();
  const id = unique('files');
  const offer = await framework.launch((one) => commandTask(one, COMMAND, { task_id: { value: id } }));
  await framework.update(id, 'TASK_RUNNING');
  agents = new AgentAddresses({ detect: async () => master, now: Date.now });
  files = new AgentFiles(agents, undefined);
  sandbox = {
    agentId: offer.agent_id.value,
    host: offer.hostname,
    frameworkId: framework.id,
    executorId: id,
  };
  await vi.waitFor(
    async () => expect((await files.read(sandbox, 'stdout', 0, 65_536))?.toString()).toContain('ready\n'),
    { timeout: 20_000, interval: 100 },
  );
}, 60_000);
afterAll(async () => {
  files?.close();
  await framework?.[Symbol.asyncDispose]();
});

describe('the files of a sandbox', () => {
  it('are read byte for byte, in parts', async () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    expect(await files.read(sandbox, 'bytes', 0, 1000)).toEqual(all);
    expect(await files.read(sandbox, 'bytes', 250, 4)).toEqual(all.subarray(250, 254));
    expect(await files.read(sandbox, 'bytes', 256, 10)).toEqual(Buffer.alloc(0));
    expect(await files.read(sandbox, 'bytes', 1000, 10)).toEqual(Buffer.alloc(0));
    expect(await files.read(sandbox, 'empty', 0, 10)).toEqual(Buffer.alloc(0));
    expect((await files.read(sandbox, 'large', 0, 1 << 20))?.length).toBe(65_536);
    expect((await files.read(sandbox, 'large', 196_608, 1 << 20))?.length).toBe(200_000 - 196_608);
    expect((await files.read(sandbox, 'name with %20 and + ü', 0, 10))?.toString()).toBe('a b\n');
    expect((await files.read(sandbox, 'stderr', 0, 65_536))?.toString()).toContain('problem\n');
  });

  it('are listed with their sizes', async () => {
    const entries = new Map((await files.list(sandbox, ''))?.map((entry) => [entry.name, entry]));
    expect([...entries.keys()]).toEqual(expect.arrayContaining(['stdout', 'stderr', 'bytes', 'below']));
    expect(entries.get('large')).toMatchObject({ size: 200_000, mode: expect.stringMatching(/^-r/) });
    expect(entries.get('below')?.mode).toMatch(/^d/);
    // Opening it would block the agent.
    expect(entries.get('fifo')?.mode).toMatch(/^p/);
    expect((await files.list(sandbox, 'below'))?.map(({ name }) => name)).toEqual(['file']);
  });

  it('are not found under other names', async () => {
    expect(await files.read(sandbox, 'none', 0, 10)).toBeUndefined();
    expect(await files.read(sandbox, 'dangling', 0, 10)).toBeUndefined();
    expect(await files.read(sandbox, 'none/stdout', 0, 10)).toBeUndefined();
    expect(await files.list(sandbox, 'none')).toBeUndefined();
    const other = { ...sandbox, executorId: 'none' };
    expect(await files.list(other, '')).toBeUndefined();
    expect(await files.read(other, 'stdout', 0, 10)).toBeUndefined();
  });

  it('lead by links to files of the same sandbox only', async () => {
    // The listing does not tell that they are links: so a task's directory in a shared sandbox can't be read like this.
    expect((await files.read(sandbox, 'inside', 0, 10))?.toString()).toBe('in\n');
    expect((await files.read(sandbox, 'directory/file', 0, 10))?.toString()).toBe('in\n');
    const entries = await files.list(sandbox, '');
    expect(entries?.find(({ name }) => name === 'inside')?.mode).toMatch(/^-/);
    for (const path of ['outside', 'up/passwd', '../../../../../../../../../../etc/passwd']) {
      const error = await files.read(sandbox, path, 0, 10).catch((one: unknown) => one);
      // An agent whose sandboxes are deeper than the path climbs does not find the last one.
      if (error !== undefined) expect(error, path).toBeInstanceOf(AgentError);
    }
    const refused = await files.read(sandbox, 'outside', 0, 10).catch((one: unknown) => one);
    expect(refused).toMatchObject({ statusCode: 502, message: expect.stringMatching(/inaccessible/) });
  });
});

it('finds no address of an agent that the master does not know', async () => {
  await expect(agents.addressOf('none')).rejects.toMatchObject({
    statusCode: 502,
    message: 'The agent none is not connected to the Mesos master',
  });
});
