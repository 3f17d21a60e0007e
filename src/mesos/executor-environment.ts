/** Reads the environment variables that an agent sets for an executor. */

import { UsageError } from '../errors/mesosup-error.ts';
import { parseDuration } from './duration.ts';

/** An executor's environment; see readExecutorEnvironment. */
export interface ExecutorEnvironment {
  /** The agent, `ip:port`. */
  agentEndpoint: string;
  agentId: string;
  frameworkId: string;
  executorId: string;
  /** The sandbox, an absolute path; its last segment is the id of this run of the executor. */
  directory: string;
  /** True if tasks survive a restart of the agent. */
  checkpoint: boolean;
  /** From SHUTDOWN to SIGKILL. */
  shutdownGraceMs: number;
  /** Time to wait for a disconnected agent. Unused without checkpointing. */
  recoveryTimeoutMs: number;
  /** The agent's upper limit for the wait between attempts to subscribe. */
  subscriptionBackoffMaxMs: number;
  /** Sent as a bearer token. */
  authenticationToken?: string;
  /** If set, HTTP uses this Unix socket instead of TCP. */
  domainSocket?: string;
}

/**
 * Reads the environment of an executor. Does not change `env`: the caller deletes
 * `MESOS_EXECUTOR_AUTHENTICATION_TOKEN` from its own environment before it starts child processes.
 * @throws UsageError naming the variable that is missing or invalid
 */
export function readExecutorEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): ExecutorEnvironment {
  const required = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === '') {
      throw new UsageError(`${name} is not set: an executor must be started by a Mesos agent, not by hand`);
    }
    return value;
  };
  const duration = (name: string, fallback: string): number => {
    try {
      return parseDuration(env[name] ?? fallback);
    } catch (error) {
      throw new UsageError(`${name}: ${(error as Error).message}`);
    }
  };
  const token = env.MESOS_EXECUTOR_AUTHENTICATION_TOKEN;
  const socket = env.MESOS_DOMAIN_SOCKET;
  return {
    agentEndpoint: required('MESOS_AGENT_ENDPOINT'),
    agentId: required('MESOS_SLAVE_ID'),
    frameworkId: required('MESOS_FRAMEWORK_ID'),
    executorId: required('MESOS_EXECUTOR_ID'),
    directory: required('MESOS_DIRECTORY'),
    checkpoint: env.MESOS_CHECKPOINT === '1',
    shutdownGraceMs: duration('MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD', '5secs'),
    recoveryTimeoutMs: duration('MESOS_RECOVERY_TIMEOUT', '15mins'),
    subscriptionBackoffMaxMs: duration('MESOS_SUBSCRIPTION_BACKOFF_MAX', '2secs'),
    ...(token !== undefined && token !== '' && { authenticationToken: token }),
    ...(socket !== undefined && socket !== '' && { domainSocket: socket }),
  };
}
