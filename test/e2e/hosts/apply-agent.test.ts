/** Waits for services of other hosts, and replaces an agent, with the lab's Mesos on a real host. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { secretMark } from '../../../src/cluster/secrets.ts';
import type { Host } from '../../../src/hosts/host.ts';
import { fetchKeys } from '../../../src/install/edge/keys.ts';
import { probeHost } from '../../../src/install/edge/probe-host.ts';
import type { PlanItem } from '../../../src/install/plan.ts';
import { SmallFramework } from '../../embedded/small-framework.ts';
import { scripts } from '../../install/hosts.ts';
import type { LabHost } from '../../lab/host.ts';
import type { Lab } from '../../lab/lab.ts';
import { until } from '../demo-cluster.ts';
import {
  apply,
  file,
  type OneHost,
  probe,
  secrets,
  service,
  startOneHost,
  targets,
  wants,
} from '../support/plans.ts';

let lab: Lab;
let one: OneHost;
let host: Host;
let shell: LabHost;

beforeAll(async () => {
  one = await startOneHost();
  ({ lab, host, shell } = one);
});

afterAll(async () => {
  await one?.stop();
});

/** The flags of a role as files, which require the operator's credentials. */
function flags(role: 'master' | 'agent', values: Record<string, string>): PlanItem[] {
  const directory = `/etc/mesos-${role}`;
  const credentials = `/etc/mesos-${role}.json`;
  const json = `{"credentials":[{"principal":"operator","secret":"${secretMark('operator')}"}]}\n`;
  const all = {
    work_dir: '/var/lib/mesos',
    ip: shell.address,
    '?authenticate_http_readonly': '',
    '?authenticate_http_readwrite': '',
    [role === 'master' ? 'credentials' : 'http_credentials']: credentials,
    ...values,
  };
  return [
    wants('create', { kind: 'directory', path: directory, owner: 'root', group: 'root', mode: '0755' }),
    wants('create', file(credentials, json, { mode: '0600' })),
    ...Object.entries(all).map(([name, value]) =>
      wants('create', file(`${directory}/${name}`, `${value}\n`)),
    ),
  ];
}

test('an agent starts once its master leads, and is replaced once its tasks have ended', async () => {
  const { good, name } = lab.mesos();
  const items: PlanItem[] = [
    wants('create', {
      kind: 'apt-key',
      path: '/etc/apt/trusted.gpg.d/lab.asc',
      source: { url: good.key },
      fingerprint: good.fingerprint,
    }),
    wants('create', {
      ...file('/etc/apt/sources.list.d/lab.list', `deb ${good.debian.replace('{codename}', 'bookworm')}\n`),
      aptSource: true,
    }),
    wants('install', { kind: 'package', name }),
    wants('create', {
      kind: 'directory',
      path: '/var/lib/mesos',
      owner: 'root',
      group: 'root',
      mode: '0755',
    }),
    ...flags('master', {}),
    ...flags('agent', {
      master: `${shell.address}:5050`,
      launcher: 'posix',
      '?no-systemd_enable_support': '',
    }),
    wants('start', service('mesos-master')),
    wants('start', service('mesos-agent', { after: 'master-elected' })),
  ];
  const health = { address: shell.address, master: 5050, agent: 5051, agentWorkDir: '/var/lib/mesos' };
  const options = {
    masters: [{ address: shell.address, port: 5050 }],
    agent: { address: shell.address, port: 5051 },
    agentWorkDir: '/var/lib/mesos',
  };
  const plan = { format: 1, command: 'install', cluster: 'c', version: '0' } as const;
  const filled = await fetchKeys({ ...plan, hosts: [{ host: 'h1', items, basis: '' }] });
  const first = await apply(host, filled.hosts[0]?.items ?? [], options);
  expect(first.outcome).toEqual({ ok: true });
  const before = await until('the agent is registered', async () => {
    const facts = await probe(host, { health });
    return facts.agent.registered && facts.agent.id !== '' && facts.master.agentsConnected === 1 && facts;
  });
  expect(before.master).toMatchObject({ answers: true, elected: true, problem: '' });
  expect(before.agent).toMatchObject({ answers: true, tasks: 0, problem: '' });
  expect(before.agent.id).toMatch(/-S0$/);
  const stranger = await probeHost(host, scripts, targets({ health }), {
    operator: 'another',
    api: 'another',
  });
  expect(stranger.master).toMatchObject({
    answers: true,
    version: before.master.version,
    problem: "the master refused the operator's credentials",
  });
  expect(stranger.agent).toMatchObject({ answers: true, tasks: null });

  const framework = new SmallFramework(`${shell.address}:5050`);
  try {
    const stubborn = "trap '' TERM; while [ ! -e /run/task.go ]; do sleep 0.1; done";
    await framework.launch('stubborn', { command: stubborn });
    await framework.reached('stubborn', 'TASK_RUNNING');
    await until('the agent knows it', async () => (await probe(host, { health })).agent.tasks === 1);
    const waits: string[] = [];
    const { outcome } = await apply(
      host,
      [
        wants('replace-agent', service('mesos-agent')),
        wants('start', service('mesos-agent', { inputs: 'i2' })),
      ],
      {
        ...options,
        onEvent: (event) => {
          if (event.event !== 'wait') return;
          waits.push(event.reason);
          void shell.run('touch /run/task.go');
        },
      },
    );
    expect(outcome).toEqual({ ok: true });
    expect(waits).toEqual(["the agent's tasks to end: 1 still running"]);
  } finally {
    await framework.end();
  }
  const after = await until('the new agent is registered', async () => {
    const { agent } = await probe(host, { health });
    // The id is read before the agent answers, so a starting agent has no id yet.
    return agent.registered && agent.id !== '' && agent;
  });
  expect(after.id).toMatch(/-S1$/);
  const text = await shell.run('cat /var/lib/mesosup/runs/*/events.ndjson');
  expect(text).not.toContain(secrets.operator);
});
