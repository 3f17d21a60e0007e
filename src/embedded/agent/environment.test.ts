import { expect, it } from 'vitest';
import { type EnvironmentInput, executorEnvironment } from './environment.ts';

/** The environment of a real agent's executor. */
const REAL: Record<string, string> = {
  MESOS_EXECUTOR_ID: 'docker-executor',
  MESOS_CHECKPOINT: '1',
  MESOS_HTTP_COMMAND_EXECUTOR: '0',
  MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '15secs',
  MESOS_SUBSCRIPTION_BACKOFF_MAX: '2secs',
  LIBPROCESS_PORT: '0',
  MESOS_AGENT_ENDPOINT: '127.0.0.1:15051',
  MESOS_SANDBOX: '/sandbox',
  MESOS_RECOVERY_TIMEOUT: '15mins',
  MESOS_FRAMEWORK_ID: 'F-0000',
  MESOS_SLAVE_ID: 'F-S0',
  MESOS_DIRECTORY: '/sandbox',
  MESOS_SLAVE_PID: 'slave(1)@127.0.0.1:15051',
  LIBPROCESS_IP: '127.0.0.1',
};

const input = (more: Partial<EnvironmentInput> = {}): EnvironmentInput => ({
  agentId: 'F-S0',
  frameworkId: 'F-0000',
  executorId: 'docker-executor',
  ip: '127.0.0.1',
  port: 15_051,
  directory: '/sandbox',
  checkpoint: true,
  shutdownGraceMs: 15_000,
  recoveryTimeoutMs: 900_000,
  subscriptionBackoffMaxMs: 2000,
  flagVariables: {},
  command: undefined,
  ...more,
});

it('equals the environment of a real agent, with PWD and a default PATH', () => {
  const { PATH, PWD, ...rest } = executorEnvironment(input());
  expect(rest).toEqual(REAL);
  expect(PWD).toBe('/sandbox');
  expect(PATH).toBe('/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
});

it('has recovery settings only if the framework checkpoints', () => {
  const environment = executorEnvironment(input({ checkpoint: false }));
  expect(environment.MESOS_CHECKPOINT).toBe('0');
  expect(environment).not.toHaveProperty('MESOS_RECOVERY_TIMEOUT');
  expect(environment).not.toHaveProperty('MESOS_SUBSCRIPTION_BACKOFF_MAX');
});

it("adds the agent's flag with lower, and the command's variables with higher precedence than Mesos' variables", () => {
  const environment = executorEnvironment(
    input({
      flagVariables: { PATH: '/flag', A: 'flag', B: 'flag', MESOS_DIRECTORY: '/flag' },
      command: { environment: { variables: [{ name: 'B', value: 'command' }, { name: 'C' }] } },
    }),
  );
  expect(environment).toMatchObject({
    PATH: '/flag',
    A: 'flag',
    B: 'command',
    C: '',
    MESOS_DIRECTORY: '/sandbox',
  });
});
