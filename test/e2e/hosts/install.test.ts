/** From three bare hosts to the 2013 example on a real cluster, what is done to it afterwards, and back. */

import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabHost } from '../../lab/host.ts';
import { ensureRedisImage, loadImage } from '../../lab/images.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { docCommand } from '../../support/docs.ts';
import { until } from '../demo-cluster.ts';
import { fileList, listDifference } from '../support/file-list.ts';
import { expectDone, LabCluster, PORTS } from '../support/lab-cluster.ts';

const INSTALL_MS = 600_000;
const APP = 'multidis';
let lab: Lab;
let cluster: LabCluster;
let h1: LabHost;
let h2: LabHost;
let h3: LabHost;
let before: Map<string, Map<string, string>>;

beforeAll(async () => {
  lab = await startLab({ hosts: [{}, { login: 'sudo' }, { login: 'sudo-password' }] });
  cluster = new LabCluster(lab);
  [h1, h2, h3] = ['h1', 'h2', 'h3'].map((name) => lab.host(name)) as [LabHost, LabHost, LabHost];
  await cluster.writeSpec();
  cluster.flags = ['--hosts', 'h1,h2,h3'];
  before = await lists();
}, INSTALL_MS);

afterAll(() => lab?.stop());

async function lists(): Promise<Map<string, Map<string, string>>> {
  return new Map(await Promise.all(lab.hosts.map(async (h) => [h.name, await fileList(h)] as const)));
}

/** Every container of the app, by host: its id and task. */
async function containers(): Promise<string[]> {
  const format = '{{.ID}} {{.Label "mesosup.task"}}';
  const all = await Promise.all(
    lab.hosts.map((h) => h.run(`docker ps --filter label=mesosup.task --format '${format}'`)),
  );
  return all.flatMap((text) => text.trim().split('\n').filter(Boolean)).sort();
}

async function running(): Promise<void> {
  await until('three instances run', async () => (await cluster.endpoints(h1, APP)).length === 3, 120_000);
}

async function pidOf(host: LabHost, unit: string): Promise<string> {
  return (await host.run(`systemctl show -p MainPID --value ${unit}`)).trim();
}

const UNITS = ['zookeeper', 'mesos-master', 'mesos-agent', 'mesosup-scheduler', 'docker'];

/** Main pids of all services on all hosts. */
async function pids(): Promise<Record<string, string>> {
  const all = await Promise.all(
    lab.hosts.flatMap((h) => UNITS.map(async (unit) => [`${h.name} ${unit}`, await pidOf(h, unit)] as const)),
  );
  return Object.fromEntries(all);
}

describe('a cluster of three hosts', () => {
  test('plan shows what it would do, and does nothing', async () => {
    const { code, stdout } = await cluster.runLine(docCommand('README.md', 'mesosup plan'));
    expect(code, stdout).toBe(3);
    for (const name of ['h1', 'h2', 'h3']) expect(stdout).toContain(name);
    expect(stdout).toContain('aventer-mesos');
    const after = await lists();
    for (const [name, list] of before) expect(listDifference(list, after.get(name))).toEqual([]);
  });

  test(
    'install --start ends with a healthy cluster',
    async () => {
      const began = performance.now();
      const done = await cluster.runLine(docCommand('README.md', 'mesosup install --hosts'), '--yes');
      console.log(`install of 3 hosts: ${((performance.now() - began) / 1000).toFixed(1)} s`);
      expectDone(done);
      expect(done.stdout).toContain(`:${PORTS.scheduler}`);
      const status = await cluster.healthy();
      expectDone(await cluster.runLine(docCommand('README.md', 'mesosup status')));
      expect(status.problems).toEqual([]);
      expect(status.hosts.map(({ host, healthy, drift }) => ({ host, healthy, drift }))).toEqual(
        ['h1', 'h2', 'h3'].map((host) => ({ host, healthy: true, drift: 0 })),
      );
    },
    INSTALL_MS,
  );

  test('ZooKeeper is a quorum of three, one master and one scheduler lead, three agents are registered', async () => {
    const modes = await Promise.all(
      lab.hosts.map((h) =>
        h.run(`bash -c 'exec 3<>/dev/tcp/${h.address}/2181; echo srvr >&3; cat <&3' | sed -n 's/^Mode: //p'`),
      ),
    );
    expect(modes.map((m) => m.trim()).sort()).toEqual(['follower', 'follower', 'leader']);
    const metrics = await Promise.all(
      lab.hosts.map(async (h) => {
        const answer = await cluster.operator(h, PORTS.master, '/metrics/snapshot');
        return (await answer.json()) as Record<string, number>;
      }),
    );
    const leading = metrics.filter((m) => m['master/elected'] === 1);
    expect(leading).toHaveLength(1);
    expect(leading[0]?.['master/slaves_active']).toBe(3);
    const leaders = await Promise.all(
      lab.hosts.map(
        async (h) => ((await (await cluster.api(h, '/v2/leader')).json()) as { leader: string }).leader,
      ),
    );
    expect(new Set(leaders).size).toBe(1);
  });

  test(
    'the 2013 example: Redis on every agent, reachable from every other',
    async () => {
      const image = await ensureRedisImage();
      await Promise.all(lab.hosts.map((h) => loadImage(h, image)));
      const answer = await cluster.api(h2, '/v1/apps/start', {
        method: 'POST',
        body: JSON.stringify({
          id: APP,
          instances: 3,
          mem: 256,
          cpus: 0.5,
          executor: '/var/lib/mesos/executors/docker',
          cmd: image,
          constraints: [['hostname', 'UNIQUE']],
        }),
      });
      expect(answer.status, await answer.text()).toBe(204);
      await running();
      const endpoints = await cluster.endpoints(h3, APP);
      expect(endpoints.map((e) => e.host).sort()).toEqual(lab.hosts.map((h) => h.address).sort());
      const ask = (host: string, port: number, line: string) =>
        `docker run --rm ${image} redis-cli -h ${host} -p ${port} ${line}`;
      for (const [i, { host, port }] of endpoints.entries()) {
        const from = lab.hosts.find((h) => h.address !== host) ?? h1;
        expect((await from.run(ask(host, port, `SET x ${i}`))).trim()).toBe('OK');
        expect((await from.run(ask(host, port, 'GET x'))).trim()).toBe(String(i));
      }
    },
    INSTALL_MS,
  );

  test("the API answers who has the cluster's secrets, as docs/installing.md asks it", async () => {
    const command = docCommand('docs/installing.md', 'jq ')
      .replace('~/.local/state/mesosup/NAME', cluster.state)
      .replace('http://h1:8080', `http://${h1.address}:${PORTS.scheduler}`);
    const { stdout } = await execa('sh', ['-c', command]);
    expect(stdout).toMatch(new RegExp(`^${APP} \\d+( [\\d.]+:\\d+){3}`));
  });

  test('install again changes nothing, and touches no process', async () => {
    const was = await pids();
    const done = await cluster.run('install', '--start', '--yes');
    expectDone(done);
    expect(done.stdout).toMatch(/no changes/i);
    expect(await cluster.planned()).toEqual({});
    expect(await pids()).toEqual(was);
  });

  test('no secret is in any argument list, nor in a file that others may read', async () => {
    const secrets = Object.values(await cluster.secrets());
    for (const host of lab.hosts) {
      const commands = await host.run("cat /proc/[0-9]*/cmdline | tr '\\0' ' '");
      expect(commands).toContain('mesosup/current/lib/scheduler.js');
      for (const secret of secrets) expect(commands.includes(secret)).toBe(false);
      const files = await host.run(
        'grep -rlaF -f - --exclude-dir=docker /etc /var/lib /var/log /opt/mesosup /run /tmp /root /home 2>/dev/null |' +
          ' while read -r f; do stat -c \'%a %n\' "$f"; done',
        { input: `${secrets.join('\n')}\n` },
      );
      expect(files).toContain('/etc/');
      expect(files.split('\n').filter((line) => line !== '' && !/^[67]00 /.test(line))).toEqual([]);
    }
  });

  test('nobody gets in without credentials', async () => {
    const subscribe = {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
    };
    const framework = JSON.stringify({
      type: 'SUBSCRIBE',
      subscribe: { framework_info: { user: 'root', name: 'anonymous' } },
    });
    const executor = JSON.stringify({
      type: 'SUBSCRIBE',
      framework_id: { value: 'f' },
      executor_id: { value: 'e' },
      subscribe: { unacknowledged_tasks: [], unacknowledged_updates: [] },
    });
    const asked: [number, string, RequestInit][] = [
      [PORTS.master, '/state', {}],
      [PORTS.master, '/teardown', { method: 'POST', body: 'frameworkId=x' }],
      [PORTS.master, '/api/v1', { ...subscribe, body: '{"type":"GET_STATE"}' }],
      [PORTS.master, '/api/v1/scheduler', { ...subscribe, body: framework }],
      [PORTS.agent, '/state', {}],
      [PORTS.agent, '/api/v1/executor', { ...subscribe, body: executor }],
      [PORTS.scheduler, '/v2/apps', {}],
      [PORTS.scheduler, '/v1/endpoints', {}],
    ];
    // Where the leading master is: the others redirect before they look at credentials.
    const leads = await Promise.all(
      lab.hosts.map(async (h) => {
        const answer = await cluster.operator(h, PORTS.master, '/metrics/snapshot');
        return ((await answer.json()) as Record<string, number>)['master/elected'] === 1;
      }),
    );
    const host = lab.hosts[leads.indexOf(true)] ?? h1;
    for (const [port, route, init] of asked) {
      const answer = await fetch(`http://${host.address}:${port}${route}`, { ...init, redirect: 'manual' });
      await answer.body?.cancel();
      expect(`${port}${route} ${answer.status}`).toBe(`${port}${route} 401`);
    }
    // An agent that brings none is turned away as often as it asks. A real master says so in its own log alone.
    const stray =
      h1.exec(`echo $$ >/tmp/stray.pid; exec timeout 300 mesos-agent --master=${host.address}:5050 \
      --work_dir=/tmp/stray --runtime_dir=/tmp/stray-run --port=5999 --ip=${h1.address} --launcher=posix \
      --no-systemd_enable_support >/tmp/stray.log 2>&1`);
    await until(
      'the stray agent is turned away',
      async () =>
        /not authenticated/i.test(await h1.run('cat /tmp/stray.log')) ||
        /:5999 because it is not authenticated/.test(await host.run('journalctl -q -o cat')),
    );
    await h1.run('kill $(cat /tmp/stray.pid)');
    await stray;
    const agents = (await (await cluster.operator(host, PORTS.master, '/slaves')).json()) as {
      slaves: unknown[];
    };
    expect(agents.slaves).toHaveLength(3);
  });
});

describe('changes to it', () => {
  test('an attribute more: one host is touched, one service restarts, containers and tasks stay', async () => {
    cluster.flags = [];
    await cluster.writeSpec({
      hosts: ['h1', { name: 'h2', attributes: { rack: 'a' } }, 'h3'],
    });
    const was = { pids: await pids(), containers: await containers() };
    const plan = await cluster.planned();
    expect(Object.keys(plan)).toEqual(['h2']);
    expect(plan.h2).toContain('restart service:mesos-agent');
    expectDone(await cluster.runLine(docCommand('README.md', 'mesosup install'), '--yes'));
    const now = { pids: await pids(), containers: await containers() };
    expect(now.containers).toEqual(was.containers);
    const { 'h2 mesos-agent': restarted, ...others } = now.pids;
    const { 'h2 mesos-agent': earlier, ...same } = was.pids;
    expect(others).toEqual(same);
    expect(restarted).not.toBe(earlier);
    await running();
    await cluster.healthy();
  });

  test('another value of an attribute is refused, and with the flag the agent is drained and replaced', async () => {
    await cluster.writeSpec({
      hosts: ['h1', { name: 'h2', attributes: { rack: 'b' } }, 'h3'],
    });
    const was = await containers();
    const refused = await cluster.run('install', '--yes');
    expect(refused.code, refused.all).toBe(1);
    expect(refused.all).toMatch(/1 of its tasks end/);
    expect(refused.all).toContain('--allow-agent-replace');
    expect(await containers()).toEqual(was);
    const allowed = await cluster.run('install', '--yes', '--allow-agent-replace');
    expectDone(allowed);
    await running();
    const now = await until('three containers', async () => {
      const list = await containers();
      return list.length === 3 && list;
    });
    expect(now.filter((line) => was.includes(line))).toHaveLength(2);
    const status = await cluster.healthy();
    expect(status.hosts.map((h) => h.drift)).toEqual([0, 0, 0]);
  });

  test('a service stopped and a file edited by hand: the plan shows just that, install mends it', async () => {
    await h3.run('systemctl stop mesosup-scheduler');
    await h1.run('echo 9secs >/etc/mesos-agent/executor_reregistration_timeout');
    const plan = await cluster.planned();
    expect(plan).toEqual({
      h1: ['change file:/etc/mesos-agent/executor_reregistration_timeout', 'restart service:mesos-agent'],
      h3: ['start service:mesosup-scheduler'],
    });
    const was = await containers();
    expectDone(await cluster.run('install', '--yes'));
    expect(await cluster.planned()).toEqual({});
    expect(await containers()).toEqual(was);
    await cluster.healthy();
  });

  test('a saved plan is applied exactly, and refused once the hosts have changed', async () => {
    await cluster.writeSpec({
      agentFlags: { gc_delay: '2days' },
      hosts: ['h1', { name: 'h2', attributes: { rack: 'b' } }, 'h3'],
    });
    const saved = await cluster.run('plan', '--out', 'plan.json');
    expect(saved.code, saved.all).toBe(3);
    await h2.run('echo 8secs >/etc/mesos-agent/executor_reregistration_timeout');
    const apply = () => cluster.startPlan('plan.json');
    const refused = await apply();
    expect(refused.code).toBe(1);
    expect(refused.all).toContain('h2');
    await h2.run('echo 10secs >/etc/mesos-agent/executor_reregistration_timeout');
    expectDone(await apply());
    expect(await cluster.planned()).toEqual({});
  });

  test(
    'another flag of the masters: never are two away at once, and tasks stay',
    async () => {
      await cluster.writeSpec({
        agentFlags: { gc_delay: '2days' },
        masterFlags: { max_agent_ping_timeouts: '6' },
        hosts: ['h1', { name: 'h2', attributes: { rack: 'b' } }, 'h3'],
      });
      const was = { pids: await pids(), containers: await containers() };
      const away: number[] = [];
      let over = false;
      const sample = async () => {
        while (!over) {
          const answers = await Promise.all(lab.hosts.map((h) => cluster.hasMaster(h)));
          away.push(answers.filter((answer) => !answer).length);
          await sleep(20);
        }
      };
      const sampling = sample();
      const done = await cluster.run('install', '--yes');
      over = true;
      await sampling;
      expectDone(done);
      expect(Math.max(...away)).toBe(1);
      const now = await pids();
      const changed = Object.keys(now).filter((name) => now[name] !== was.pids[name]);
      expect(changed.sort()).toEqual(['h1 mesos-master', 'h2 mesos-master', 'h3 mesos-master']);
      expect(await containers()).toEqual(was.containers);
      await cluster.healthy();
    },
    INSTALL_MS,
  );

  test(
    'a flag that masters refuse: the first that gets it fails, and the others are left alone',
    async () => {
      const hosts = ['h1', { name: 'h2', attributes: { rack: 'b' } }, 'h3'];
      const flags = { agentFlags: { gc_delay: '2days' }, hosts };
      await cluster.writeSpec({ ...flags, masterFlags: { no_such_thing: '6' } });
      const was = await pids();
      const failed = await cluster.run('install', '--yes');
      expect(failed.code, failed.all).toBe(1);
      const [first = ''] = /h\d(?=: service mesos-master)/.exec(failed.stdout) ?? [];
      const others = lab.hosts.filter((h) => h.name !== first);
      expect(others).toHaveLength(2);
      for (const { name } of others) {
        expect(failed.stdout).toContain(`${name}: nothing was done here: ${first} failed`);
        expect(await pidOf(lab.host(name), 'mesos-master')).toBe(was[`${name} mesos-master`]);
      }
      await cluster.writeSpec({ ...flags, masterFlags: { max_agent_ping_timeouts: '6' } });
      expect(Object.keys(await cluster.planned())).toEqual([first]);
      expectDone(await cluster.run('install', '--yes'));
      expect(await cluster.planned()).toEqual({});
    },
    INSTALL_MS,
  );

  test(
    'an agent whose role is taken away is drained, stopped and masked, and comes back with it',
    async () => {
      const flags = { agentFlags: { gc_delay: '2days' }, masterFlags: { max_agent_ping_timeouts: '6' } };
      const others = ['zookeeper', 'master', 'scheduler'];
      const roles = [...others, 'agent'];
      const hosts = [
        { name: 'h1', roles },
        { name: 'h2', roles, attributes: { rack: 'b' } },
      ];
      await cluster.writeSpec({ ...flags, hosts: [...hosts, { name: 'h3', roles: others }] });
      const was = await containers();
      const refused = await cluster.run('install', '--yes');
      expect(refused.code, refused.all).toBe(1);
      expect(refused.all).toContain('--allow-agent-replace');
      expect(await containers()).toEqual(was);
      expectDone(await cluster.run('install', '--yes', '--allow-agent-replace'));
      expect(await h3.run('systemctl is-enabled mesos-agent || :')).toBe('masked');
      // Nor does the next connection to its socket start it again.
      expect(await h3.run('docker ps 2>&1 || :')).toContain('Cannot connect');
      expect(await h3.run('ps -eo args')).not.toMatch(/redis|dockerd/);
      expect(await cluster.planned()).toEqual({});
      await cluster.healthy();
      await cluster.writeSpec({ ...flags, hosts: [...hosts, { name: 'h3', roles }] });
      expectDone(await cluster.run('install', '--yes'));
      await running();
      await cluster.healthy();
    },
    INSTALL_MS,
  );

  test(
    'stop ends the services and start brings them and the tasks back',
    async () => {
      expectDone(await cluster.runLine(docCommand('README.md', 'mesosup stop'), '--yes'));
      const stopped = await cluster.run('status');
      expect(stopped.code).toBe(1);
      expectDone(await cluster.runLine(docCommand('README.md', 'mesosup start'), '--yes'));
      await cluster.healthy();
      await running();
    },
    INSTALL_MS,
  );
});

describe('uninstall', () => {
  test(
    'ends what runs, leaves the hosts as they were, and names the users that stay',
    async () => {
      await running();
      const plan = await cluster.runLine(docCommand('README.md', 'mesosup uninstall'), '--yes', '--purge');
      expectDone(plan);
      expect(plan.stdout).toContain('stops the agent: 1 task ends');
      for (const host of lab.hosts) {
        expect(plan.stdout).toMatch(new RegExp(`${host.name}: .*user zookeeper`));
        const processes = await host.run('ps -eo args');
        expect(processes).not.toMatch(/mesos|containerd|zookeeper|redis|docker/);
      }
      const after = await lists();
      for (const [name, list] of before) {
        expect({ name, left: listDifference(list, after.get(name)) }).toEqual({ name, left: [] });
      }
    },
    INSTALL_MS,
  );
});
