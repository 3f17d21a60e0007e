import { expect, test } from 'vitest';
import { planDemo } from './demo-plan.ts';

const input = {
  lib: '/dist/lib',
  dir: '/run/mesosup-demo',
  agents: 2,
  executor: '/var/lib/mesos/executors/docker',
  hostname: '172.17.0.1',
  usedPorts: new Set<number>(),
  user: 'ada',
  lb: false,
  compileCache: undefined,
};

test('uses the usual ports if they are free', () => {
  const plan = planDemo(input);
  expect(plan.masterUrl).toBe('http://127.0.0.1:5050');
  expect(plan.schedulerUrl).toBe('http://127.0.0.1:8080');
  expect(plan.cluster).toBe('mesosup-demo');
  expect(plan.programs.map((p) => p.name)).toEqual(['scheduler', 'master', 'agent1', 'agent2']);
});

test('uses other ports if the usual ones are taken, and passes them to every program', () => {
  const plan = planDemo({ ...input, usedPorts: new Set([5050, 8080, 31_005]) });
  expect(plan.masterUrl).toBe('http://127.0.0.1:5051');
  expect(plan.schedulerUrl).toBe('http://127.0.0.1:8081');
  const [scheduler, master, agent1, agent2] = plan.programs.map((p) => p.args);
  expect(master).toContain('--port=5051');
  expect(agent1).toContain('--master=127.0.0.1:5051');
  expect(agent1).toContain('--port=5052');
  expect(agent2).toContain('--port=5053');
  expect(agent1).toContain('--resources=cpus:4;mem:4096;disk:10000;ports:[31100-31199]');
  expect(agent2).toContain('--resources=cpus:4;mem:4096;disk:10000;ports:[31200-31299]');
  expect(scheduler?.join(' ')).toContain('--master 127.0.0.1:5051');
  expect(scheduler?.join(' ')).toContain('--mesos_user ada');
});

test('publishes containers on the bridge address only', () => {
  const agents = planDemo(input).programs.filter((p) => p.name.startsWith('agent'));
  expect(agents).toHaveLength(2);
  for (const { args } of agents) {
    expect(args).toContain(
      '--executor_environment_variables={"MESOSUP_DEMO":"/run/mesosup-demo","MESOSUP_PUBLISH_ADDRESS":"172.17.0.1","MESOSUP_SCHEDULERS_FILE":"/run/mesosup-demo/schedulers.json"}',
    );
    expect(args).toContain('--hostname=172.17.0.1');
    expect(args).toContain('--ip=127.0.0.1');
  }
});

test('runs the load balancer on loopback with free ports, which no app may have', () => {
  const { programs, servicePort } = planDemo({ ...input, lb: true, usedPorts: new Set([10_445, 9101]) });
  expect(servicePort).toBe(10_446);
  expect(programs.at(-1)).toEqual({
    name: 'lb',
    args: [
      '/dist/lib/lb.js',
      '--url=http://127.0.0.1:8080',
      '--address=127.0.0.1',
      '--http-port=8000',
      '--https-port=8443',
      '--stats=127.0.0.1:9102',
      '--metrics=127.0.0.1:9103',
      '--data-dir=/run/mesosup-demo/lb',
      '--reserved-ports=5050-5099,8080-8099,31000-31099,31100-31199',
    ],
  });
});

test('lets executors keep their compiled code where the other programs keep theirs', () => {
  const variables = (args: readonly string[] = []) =>
    args.find((arg) => arg.startsWith('--executor_environment_variables='));
  const [, , agent] = planDemo({ ...input, compileCache: '/home/ada/.cache' }).programs.map((p) => p.args);
  expect(variables(agent)).toContain('"NODE_COMPILE_CACHE":"/home/ada/.cache"');
  const [, , other] = planDemo(input).programs.map((p) => p.args);
  expect(variables(other)).not.toContain('NODE_COMPILE_CACHE');
});
