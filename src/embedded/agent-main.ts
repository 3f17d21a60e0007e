/** The program `agent`. */

import { mkdirSync, statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { MesosupError } from '../errors/mesosup-error.ts';
import { isJson } from '../json.ts';
import type { Resource } from '../mesos/types.ts';
import { libprocessTls } from '../tls/libprocess.ts';
import { isZooKeeperAddress, parseZooKeeperAddress } from '../zookeeper/address.ts';
import { detectMaster } from './agent/master-detector.ts';
import { fixedMaster, type MasterSource } from './agent/master-link.ts';
import type { Authentication } from './agent/server.ts';
import { systemdProblem } from './agent/systemd-support.ts';
import { AGENT_FLAGS } from './agent-flags.ts';
import { commandExecutor, startAgent } from './start-agent.ts';
import { readCredential, readCredentials, readKey } from './wire/credentials.ts';
import {
  FlagError,
  type FlagValues,
  flagMs,
  flagNumber,
  flagOn,
  flagSecret,
  networkOptions,
  shownFlags,
} from './wire/flags.ts';
import { type Program, runProgram } from './wire/program.ts';
import { parseAttributes, parseResources } from './wire/resource-text.ts';

/** Maximum of `executor_reregistration_timeout`, as in Mesos. */
const MAX_REREGISTRATION_MS = 15_000;

function required(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw new FlagError(`Missing required option --${name}`);
  return value;
}

/** @throws FlagError if the value is not one of the choices */
function choice<T extends string>(flags: FlagValues, name: string, choices: readonly T[]): T {
  const value = flags.get(name);
  const found = choices.find((c) => c === value);
  if (found !== undefined) return found;
  throw new FlagError(`Unknown option for '${name}' flag ${value}: expected ${choices.join(' or ')}`);
}

/** Detects resources that the flag doesn't name, minus Mesos' reserve for the system. */
function detectResources(configured: readonly Resource[], workDir: string): Resource[] {
  const has = (name: string) => configured.some((r) => r.name === name);
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
  if (!isJson(value) || Object.values(value).some((v) => typeof v !== 'string')) {
    throw new FlagError('`executor_environment_variables` must only contain string values');
  }
  return value as Record<string, string>;
}

async function masterSource({ flags, readFile, log }: Program): Promise<MasterSource> {
  const master = required(flagSecret(flags, 'master', readFile), 'master');
  if (!isZooKeeperAddress(master)) return fixedMaster(master.replace(/^master@/, ''));
  try {
    const address = parseZooKeeperAddress(master);
    if (address.path === '/') throw new TypeError("expected a path after the servers, '/' is not supported");
    return await detectMaster(address, flagMs(flags, 'zk_session_timeout'), log);
  } catch (error) {
    throw new FlagError(`Failed to create a master detector: ${(error as Error).message}`);
  }
}

function systemdPlaces(flags: FlagValues): { runtimeDirectory: string; hierarchy: string } {
  return {
    runtimeDirectory: flags.get('systemd_runtime_directory') ?? '',
    hierarchy: flags.get('cgroups_hierarchy') ?? '',
  };
}

/** Reads which requests must be authenticated, and the authenticators. */
function authentication(
  flags: FlagValues,
  jwt: Uint8Array | undefined,
  log: (line: string) => void,
): Authentication {
  const executors = flagOn(flags, 'authenticate_http_executors');
  const readonly = flagOn(flags, 'authenticate_http_readonly');
  const readwrite = flagOn(flags, 'authenticate_http_readwrite');
  if (executors && !jwt) {
    throw new FlagError(
      '--jwt_secret_key must be specified when --authenticate_http_executors is set to true',
    );
  }
  const file = flags.get('http_credentials');
  const basic = file === undefined ? undefined : readCredentials(file, 'http_credentials', log);
  const names = (flags.get('http_authenticators') ?? (executors ? 'basic,jwt' : 'basic')).split(',');
  const unknown = names.find((name) => name !== 'basic' && name !== 'jwt');
  if (unknown !== undefined) throw new FlagError(`HTTP authenticator '${unknown}' not found; basic or jwt`);
  if (executors || readonly || readwrite) {
    if (names.includes('basic') && !basic) {
      throw new FlagError(
        "No credentials provided for the HTTP authenticator 'basic': set --http_credentials",
      );
    }
    if (names.includes('jwt') && !jwt) {
      throw new FlagError("No secret key provided for the HTTP authenticator 'jwt': set --jwt_secret_key");
    }
  }
  const authenticators = {
    ...(names.includes('basic') && basic ? { basic } : {}),
    ...(names.includes('jwt') && jwt ? { jwt } : {}),
  };
  return { authenticators, executors, readonly, readwrite };
}

await runProgram('agent', AGENT_FLAGS, async (program) => {
  const { flags, log, exit } = program;
  const workDir = required(flags.get('work_dir'), 'work_dir');
  const configured = parseResources(flags.get('resources') ?? '');
  const reregistrationMs = flagMs(flags, 'executor_reregistration_timeout');
  if (reregistrationMs > MAX_REREGISTRATION_MS) {
    throw new FlagError('Expected `--executor_reregistration_timeout` to be not more than 15secs');
  }
  choice(flags, 'containerizers', ['mesos']);
  const reconfigurationPolicy = choice(flags, 'reconfiguration_policy', ['equal', 'additive']);
  const cleanup = choice(flags, 'recover', ['reconnect', 'cleanup']) === 'cleanup';
  const keyFile = flags.get('jwt_secret_key');
  const jwtKey = keyFile === undefined ? undefined : readKey(keyFile, 'jwt_secret_key', log);
  const credentialFile = flags.get('credential');
  const tls = libprocessTls(process.env);
  const options = {
    workDir,
    ...(tls && { tls }),
    ...networkOptions(flags),
    attributes: parseAttributes(flags.get('attributes') ?? ''),
    executorRegistrationTimeoutMs: flagMs(flags, 'executor_registration_timeout'),
    executorReregistrationTimeoutMs: reregistrationMs,
    executorShutdownGracePeriodMs: flagMs(flags, 'executor_shutdown_grace_period'),
    recoveryTimeoutMs: flagMs(flags, 'recovery_timeout'),
    gcDelayMs: flagMs(flags, 'gc_delay'),
    gcDiskHeadroom: flagNumber(flags, 'gc_disk_headroom'),
    diskWatchIntervalMs: flagMs(flags, 'disk_watch_interval'),
    reconfigurationPolicy,
    cleanup,
    commandExecutor: commandExecutor(flagOn(flags, 'http_command_executor')),
    executorEnvironment: environmentVariables(flags.get('executor_environment_variables')),
    ...(jwtKey ? { jwtKey } : {}),
    authentication: authentication(flags, jwtKey, log),
    ...(credentialFile === undefined
      ? {}
      : { credential: readCredential(credentialFile, 'credential', log) }),
    flags: shownFlags(AGENT_FLAGS, flags),
    log,
    onEnd: exit,
  };
  const problem = flagOn(flags, 'systemd_enable_support') ? systemdProblem(systemdPlaces(flags)) : undefined;
  if (problem !== undefined) throw new MesosupError(problem);
  const master = await masterSource(program);
  mkdirSync(workDir, { recursive: true });
  const resources = [...configured, ...detectResources(configured, workDir)];
  const running = await startAgent({ ...options, master, resources });
  log(`agent listening on ${running.url}`);
});
