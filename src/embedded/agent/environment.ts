/** What an executor finds in its environment. Pure. */

import type { CommandInfo } from '../../mesos/types.ts';
import { formatDuration } from '../wire/duration.ts';

/** What a process gets that is given no PATH. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface EnvironmentInput {
  agentId: string;
  frameworkId: string;
  executorId: string;
  /** Address and port of the agent's API. */
  ip: string;
  port: number;
  directory: string;
  checkpoint: boolean;
  /** Milliseconds. */
  shutdownGraceMs: number;
  recoveryTimeoutMs: number;
  subscriptionBackoffMaxMs: number;
  /** Of the agent's flag. */
  given: Readonly<Record<string, string>>;
  command: CommandInfo | undefined;
  /** What the executor shows the agent to be let in. */
  token?: string;
}

/** Nothing of the agent's own environment, so no HOME; the command's variables override the rest. */
export function executorEnvironment(input: EnvironmentInput): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: DEFAULT_PATH,
    ...input.given,
    LIBPROCESS_IP: input.ip,
    LIBPROCESS_PORT: '0',
    MESOS_AGENT_ENDPOINT: `${input.ip}:${input.port}`,
    MESOS_CHECKPOINT: input.checkpoint ? '1' : '0',
    MESOS_DIRECTORY: input.directory,
    MESOS_EXECUTOR_ID: input.executorId,
    MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: formatDuration(input.shutdownGraceMs),
    MESOS_FRAMEWORK_ID: input.frameworkId,
    MESOS_HTTP_COMMAND_EXECUTOR: '0',
    MESOS_SANDBOX: input.directory,
    MESOS_SLAVE_ID: input.agentId,
    MESOS_SLAVE_PID: `slave(1)@${input.ip}:${input.port}`,
    PWD: input.directory,
  };
  if (input.checkpoint) {
    environment.MESOS_RECOVERY_TIMEOUT = formatDuration(input.recoveryTimeoutMs);
    environment.MESOS_SUBSCRIPTION_BACKOFF_MAX = formatDuration(input.subscriptionBackoffMaxMs);
  }
  for (const { name, value } of input.command?.environment?.variables ?? []) environment[name] = value ?? '';
  if (input.token !== undefined) environment.MESOS_EXECUTOR_AUTHENTICATION_TOKEN = input.token;
  return environment;
}
