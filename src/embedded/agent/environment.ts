/** Builds the environment of an executor. Pure. */

import type { CommandInfo } from '../../mesos/types.ts';
import { formatDuration } from '../wire/duration.ts';

/** The default PATH. */
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
  /** From the agent's flag. */
  flagVariables: Readonly<Record<string, string>>;
  command: CommandInfo | undefined;
  /** The token with which the executor authenticates at the agent. */
  token?: string;
}

/** Builds the environment without any variable of the agent, so without HOME. The command's variables take precedence. */
export function executorEnvironment(input: EnvironmentInput): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: DEFAULT_PATH,
    ...input.flagVariables,
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
