/** Agents for tests of the API: none, or one with the embedded agent's files API. */

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { files } from '../../src/embedded/agent/files.ts';
import type { Agent } from '../../src/embedded/agent/model.ts';
import { answerError, answerJson, requestTarget } from '../../src/embedded/wire/http.ts';
import { AgentAddresses } from '../../src/scheduler/sandbox/agent-addresses.ts';
import { AgentFiles } from '../../src/scheduler/sandbox/agent-files.ts';
import { ExecutorFiles } from '../../src/scheduler/sandbox/executor-files.ts';
import { TaskFiles } from '../../src/scheduler/sandbox/task-files.ts';
import { TaskLogs } from '../../src/scheduler/sandbox/task-logs.ts';

/** @param master `host:port`; absent: no master answers */
export function logsOf(master?: string): TaskLogs {
  return new TaskLogs(agentFilesOf(master));
}

/** Executors do not answer unless `send` does. */
export function filesOf(master?: string, executors = new ExecutorFiles(async () => {})): TaskFiles {
  return new TaskFiles(agentFilesOf(master), executors);
}

function agentFilesOf(master: string | undefined): AgentFiles {
  const detect = async () => {
    if (master === undefined) throw new Error('no master leads');
    return master;
  };
  const credential = { principal: 'reader', secret: 's3cret' };
  return new AgentFiles(new AgentAddresses({ detect, now: Date.now }), credential);
}

export interface AgentOfFiles {
  /** `host:port`; answers as the master, too. */
  readonly address: string;
  /** Requests received from the scheduler. */
  readonly requests: IncomingMessage[];
  /** Creates an executor's sandbox with files. @returns its path */
  sandbox(executorId: string, content: Readonly<Record<string, string | Buffer>>): string;
  close(): Promise<void>;
}

/** Starts an agent for the ids `S0` and `S1` of the simulated cluster. */
export async function startAgentOfFiles(frameworkId: string): Promise<AgentOfFiles> {
  const workDir = mkdtempSync(join(tmpdir(), 'agent-'));
  const requests: IncomingMessage[] = [];
  const agent = { settings: { workDir }, info: { id: { value: 'S' } } } as unknown as Agent;
  const server = createServer((request, response) => {
    requests.push(request);
    const { path, query } = requestTarget(request);
    if (path === '/slaves') {
      const pid = `slave(1)@127.0.0.1:${(server.address() as AddressInfo).port}`;
      answerJson(response, { slaves: ['S0', 'S1'].map((id) => ({ id, pid })) });
      return;
    }
    files(agent, path.replace('/files/', ''), query, response).catch((error: unknown) =>
      answerError(response, error, path, () => {}),
    );
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    sandbox: (executorId, content) => {
      const runs = join(workDir, 'slaves/S/frameworks', frameworkId, 'executors', executorId, 'runs');
      mkdirSync(join(runs, 'run'), { recursive: true });
      symlinkSync('run', join(runs, 'latest'));
      for (const [name, bytes] of Object.entries(content)) {
        mkdirSync(join(runs, 'run', name, '..'), { recursive: true });
        writeFileSync(join(runs, 'run', name), bytes);
      }
      return join(runs, 'run');
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(workDir, { recursive: true });
    },
  };
}
