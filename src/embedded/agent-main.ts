/** The program `agent`. */

import { mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import type { Resource } from '../mesos/types.ts';
import { startAgent } from './start-agent.ts';
import { FlagError, type FlagSpecs, type FlagValues, flagMs, flagNumber, parseFlags } from './wire/flags.ts';
import { runProgram } from './wire/program.ts';
import { parseAttributes, parseResources } from './wire/resource-text.ts';

const FLAGS: FlagSpecs = {
  master: { kind: 'text', help: 'the master, host:port' },
  ip: { kind: 'text', default: '127.0.0.1', help: 'address to listen on' },
  port: { kind: 'integer', default: '5051', help: 'port to listen on, 0 for any free one' },
  hostname: { kind: 'text', help: 'where tasks of this agent are reached' },
  work_dir: { kind: 'text', help: 'directory for sandboxes and checkpoints' },
  resources: {
    kind: 'text',
    help: 'cpus:4;mem:4096;disk:10000;ports:[31000-31099]; what is not named is measured',
  },
  attributes: { kind: 'text', help: 'rack:a;zone:b' },
  executor_registration_timeout: { kind: 'duration', default: '1mins', help: 'for the first subscription' },
  executor_reregistration_timeout: {
    kind: 'duration',
    default: '2secs',
    help: 'for executors to come back after a restart of the agent, at most 15secs',
  },
  executor_shutdown_grace_period: { kind: 'duration', default: '5secs', help: 'from shutdown to kill' },
  recovery_timeout: { kind: 'duration', default: '15mins', help: 'how long executors wait for the agent' },
  executor_environment_variables: {
    kind: 'text',
    help: 'JSON object of what executors get in their environment',
  },
};

/** Longest `executor_reregistration_timeout`, as in Mesos. */
const MAX_REREGISTRATION_MS = 15_000;

function required(flags: FlagValues, name: string): string {
  const value = flags.get(name);
  if (value === undefined || value === '') throw new FlagError(`Missing required option --${name}`);
  return value;
}

/** What the machine has of the resources that the flag doesn't name, less what Mesos leaves to the system. */
function measured(given: readonly Resource[], workDir: string): Resource[] {
  const has = (name: string) => given.some((r) => r.name === name);
  const scalar = (name: string, value: number): Resource[] =>
    has(name) ? [] : [{ name, type: 'SCALAR', scalar: { value } }];
  const gib = 1024;
  const mem = Math.floor(totalmem() / 1024 ** 2);
  return [
    ...scalar('cpus', availableParallelism()),
    ...scalar('mem', mem > 2 * gib ? mem - gib : Math.floor(mem / 2)),
    ...(has('disk') ? [] : scalar('disk', diskMiB(workDir))),
    ...(has('ports')
      ? []
      : [{ name: 'ports', type: 'RANGES' as const, ranges: { range: [{ begin: 31_000, end: 32_000 }] } }]),
  ];
}

function diskMiB(path: string): number {
  const { blocks, bsize } = statfsSync(path);
  const mib = Math.floor((blocks * bsize) / 1024 ** 2);
  return mib > 10 * 1024 ? mib - 5 * 1024 : Math.floor(mib / 2);
}

function environmentVariables(text: string | undefined): Record<string, string> {
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FlagError(`Failed to load flag 'executor_environment_variables': ${(error as Error).message}`);
  }
  const isText = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isText || Object.values(value as object).some((v) => typeof v !== 'string')) {
    throw new FlagError('`executor_environment_variables` must only contain string values');
  }
  return value as Record<string, string>;
}

await runProgram('agent', FLAGS, async (log) => {
  const flags = parseFlags(FLAGS, process.argv.slice(2), process.env, (path) => readFileSync(path, 'utf8'));
  const workDir = required(flags, 'work_dir');
  const master = required(flags, 'master');
  const given = parseResources(flags.get('resources') ?? '');
  const hostname = flags.get('hostname');
  const ip = flags.get('ip') ?? '127.0.0.1';
  const reregistrationMs = flagMs(flags, 'executor_reregistration_timeout');
  if (reregistrationMs > MAX_REREGISTRATION_MS) {
    throw new FlagError('Expected `--executor_reregistration_timeout` to be not more than 15secs');
  }
  mkdirSync(workDir, { recursive: true });
  const running = await startAgent({
    master,
    workDir,
    ip,
    port: flagNumber(flags, 'port'),
    ...(hostname === undefined ? {} : { hostname }),
    resources: [...given, ...measured(given, workDir)],
    attributes: parseAttributes(flags.get('attributes') ?? ''),
    executorRegistrationTimeoutMs: flagMs(flags, 'executor_registration_timeout'),
    executorReregistrationTimeoutMs: reregistrationMs,
    executorShutdownGracePeriodMs: flagMs(flags, 'executor_shutdown_grace_period'),
    recoveryTimeoutMs: flagMs(flags, 'recovery_timeout'),
    executorEnvironment: environmentVariables(flags.get('executor_environment_variables')),
    flags,
    log,
  });
  log(`agent listening on ${running.url}`);
});
