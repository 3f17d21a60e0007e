/**
 * Stores the state that must survive the agent, below `work_dir/meta`. File names are those of Mesos; contents are JSON
 * in a different format. Writes immediately and in order, so that a restarted agent finds the actions of a killed one.
 * Does not sync to disk: after a crash of the machine the processes are gone, too.
 */

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { AgentInfo, ExecutorInfo, FrameworkInfo, Resource, TaskInfo } from '../../mesos/types.ts';
import type { ProcessId } from '../../proc/process-id.ts';
import type { DrainConfig, ReportedOperation } from '../wire/agent-link.ts';
import { executorPath, latestPath, metaPath } from './paths.ts';
import type { UpdateRecord } from './updates.ts';

/** Identifies an executor of a framework. */
export interface ExecutorKey {
  readonly frameworkId: string;
  readonly id: string;
}

export interface SavedTask {
  info: TaskInfo;
  records: UpdateRecord[];
}

export interface SavedExecutor {
  info: ExecutorInfo;
  forCommand: boolean;
  containerId: string;
  /** Undefined if the agent died before it started the process. */
  process?: ProcessId;
  tasks: SavedTask[];
}

interface SavedFramework {
  info: FrameworkInfo;
  executors: SavedExecutor[];
}

/** Reserved resources, and the results of operations. */
export interface SavedResources {
  reserved: Resource[];
  operations: ReportedOperation[];
}

export interface SavedAgent {
  info: AgentInfo;
  resources?: SavedResources;
  /** Set while the agent is being drained. */
  drain?: DrainConfig;
  frameworks: SavedFramework[];
}

export class Checkpoint {
  readonly #meta: string;
  readonly #latest: string;

  /** @param workDir the agent's `--work_dir` */
  constructor(workDir: string) {
    this.#meta = metaPath(workDir);
    this.#latest = latestPath(workDir);
  }

  /** Called when the agent gets an id or its resources change. */
  saveAgent(info: AgentInfo): void {
    const id = info.id?.value ?? '';
    const directory = join(this.#meta, 'slaves', id);
    writeJson(join(directory, 'slave.info'), info);
    if (existsSync(this.#latest) && basename(readlinkSync(this.#latest)) === id) return;
    rmSync(this.#latest, { force: true });
    symlinkSync(directory, this.#latest);
  }

  /** The next start creates a new agent. */
  forgetAgent(): void {
    rmSync(this.#latest, { force: true });
  }

  /** @param config undefined once the agent is drained */
  saveDrain(agentId: string, config: DrainConfig | undefined): void {
    const path = join(this.#meta, 'slaves', agentId, 'drain.config');
    if (config) writeJson(path, config);
    else rmSync(path, { force: true });
  }

  saveResources(agentId: string, resources: SavedResources): void {
    writeJson(join(this.#meta, 'slaves', agentId, 'resources.state'), resources);
  }

  /** Lists executors of replaced agents. Called if there is no link to a latest agent. */
  orphans(): { process: ProcessId | undefined; directory: string }[] {
    const below = (directory: string) => list(directory).map((name) => join(directory, name));
    return below(join(this.#meta, 'slaves'))
      .flatMap((agent) => below(join(agent, 'frameworks')))
      .flatMap((framework) => below(join(framework, 'executors')))
      .map((directory) => ({ directory, process: readJson<ProcessId>(join(directory, 'forked.pid')) }));
  }

  removeOrphans(): void {
    rmSync(join(this.#meta, 'slaves'), { recursive: true, force: true });
  }

  saveFramework(agentId: string, info: FrameworkInfo): void {
    writeJson(join(this.#framework(agentId, info.id?.value ?? ''), 'framework.info'), info);
  }

  removeFramework(agentId: string, frameworkId: string): void {
    rmSync(this.#framework(agentId, frameworkId), { recursive: true, force: true });
  }

  saveExecutor(
    agentId: string,
    executor: ExecutorKey & Pick<SavedExecutor, 'info' | 'forCommand' | 'containerId'>,
  ): void {
    const { info, forCommand, containerId } = executor;
    writeJson(join(this.#executor(agentId, executor), 'executor.info'), { info, forCommand, containerId });
  }

  saveProcess(agentId: string, executor: ExecutorKey, process: ProcessId): void {
    writeJson(join(this.#executor(agentId, executor), 'forked.pid'), process);
  }

  removeExecutor(agentId: string, executor: ExecutorKey): void {
    rmSync(this.#executor(agentId, executor), { recursive: true, force: true });
  }

  saveTask(agentId: string, executor: ExecutorKey, task: TaskInfo): void {
    writeJson(join(this.#task(agentId, executor, task.task_id.value), 'task.info'), task);
  }

  /** Adds a record of a task's updates. The task must have been saved before. */
  addUpdate(agentId: string, executor: ExecutorKey, taskId: string, record: UpdateRecord): void {
    const directory = this.#task(agentId, executor, taskId);
    if (existsSync(directory)) appendFileSync(join(directory, 'task.updates'), `${JSON.stringify(record)}\n`);
  }

  removeTask(agentId: string, executor: ExecutorKey, taskId: string): void {
    rmSync(this.#task(agentId, executor, taskId), { recursive: true, force: true });
  }

  /** Loads the state of an earlier run; undefined if there was none. */
  load(): SavedAgent | undefined {
    const directory = this.#latest;
    const info = readJson<AgentInfo>(join(directory, 'slave.info'));
    if (!info) return undefined;
    const drain = readJson<DrainConfig>(join(directory, 'drain.config'));
    const resources = readJson<SavedResources>(join(directory, 'resources.state'));
    const frameworks = list(join(directory, 'frameworks')).flatMap((id) => {
      const path = join(directory, 'frameworks', id);
      const framework = readJson<FrameworkInfo>(join(path, 'framework.info'));
      if (!framework) return [];
      const executors = list(join(path, 'executors')).flatMap((e) =>
        loadExecutor(join(path, 'executors', e)),
      );
      return [{ info: framework, executors }];
    });
    return { info, frameworks, ...(drain ? { drain } : {}), ...(resources ? { resources } : {}) };
  }

  #framework(agentId: string, frameworkId: string): string {
    return join(this.#meta, 'slaves', agentId, 'frameworks', frameworkId);
  }

  #executor(agentId: string, { frameworkId, id }: ExecutorKey): string {
    return executorPath(this.#meta, { agentId, frameworkId, executorId: id });
  }

  #task(agentId: string, executor: ExecutorKey, taskId: string): string {
    return join(this.#executor(agentId, executor), 'tasks', taskId);
  }
}

function loadExecutor(path: string): SavedExecutor[] {
  const saved = readJson<Omit<SavedExecutor, 'tasks' | 'process'>>(join(path, 'executor.info'));
  if (!saved) return [];
  const process = readJson<ProcessId>(join(path, 'forked.pid'));
  const tasks = list(join(path, 'tasks')).flatMap((id) => {
    const info = readJson<TaskInfo>(join(path, 'tasks', id, 'task.info'));
    return info ? [{ info, records: readRecords(join(path, 'tasks', id, 'task.updates')) }] : [];
  });
  return [{ ...saved, ...(process ? { process } : {}), tasks }];
}

/** Reads the records. A record that the end of the agent truncated is ignored. */
function readRecords(path: string): UpdateRecord[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as UpdateRecord);
}

function list(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}

function readJson<T>(path: string): T | undefined {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : undefined;
}

/** Replaces the file atomically. */
function writeJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.tmp`, JSON.stringify(value));
  renameSync(`${path}.tmp`, path);
}
