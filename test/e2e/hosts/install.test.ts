/** Installs three bare hosts, runs the 2013 example, changes the cluster, and uninstalls it. */

import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secretValues } from '../../../src/cluster/secrets.ts';
import type { Diagnosis } from '../../../src/install/doctor/render.ts';
import { mesosTlsVariables } from '../../../src/install/wanted/tls.ts';
import { killConnections } from '../../lab/faults.ts';
import type { LabHost } from '../../lab/host.ts';
import { ensureRedisImage, loadImage } from '../../lab/images.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { docCommand } from '../../support/docs.ts';
import { formsOfSecret } from '../../support/secret-forms.ts';
import { until } from '../demo-cluster.ts';
import { BUSYBOX, makeTestImages } from '../support/busybox-image.ts';
import { type CreatedSession, ExecClient } from '../support/exec-client.ts';
import { fileList, listDifference } from '../support/file-list.ts';
import { expectFollowed } from '../support/followed-logs.ts';
import { expectDone, LabCluster, mesosOf, PORTS } from '../support/lab-cluster.ts';
import { expectNoSecrets } from '../support/secret-search.ts';
import { numbersIn, Output, UserCommands } from '../support/user-commands.ts';

const INSTALL_MS = 600_000;
const APP = 'multidis';
/** For users of the API. */
const TOKEN = randomBytes(24).toString('hex');
const TOKENS = '/etc/mesosup/tokens';
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
  const { good, version } = lab.mesos();
  await cluster.writeSpec({ mesos: mesosOf(good, version) });
  cluster.flags = ['--hosts', 'h1,h2,h3'];
  before = await lists();
}, INSTALL_MS);

afterAll(() => lab?.stop());

async function lists(): Promise<Map<string, Map<string, string>>> {
  return new Map(await Promise.all(lab.hosts.map(async (h) => [h.name, await fileList(h)] as const)));
}

/** Containers of the app by host, with id and task. */
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

/** Main process ids of all services on all hosts. */
async function pids(): Promise<Record<string, string>> {
  const all = await Promise.all(
    lab.hosts.flatMap((h) => UNITS.map(async (unit) => [`${h.name} ${unit}`, await pidOf(h, unit)] as const)),
  );
  return Object.fromEntries(all);
}

/** Polls every host until the work ends. @returns the maximum number of hosts down at the same time */
async function mostAway(
  has: (host: LabHost) => Promise<boolean>,
  work: () => Promise<void>,
): Promise<number> {
  let most = 0;
  let over = false;
  const sample = async () => {
    while (!over) {
      const answers = await Promise.all(lab.hosts.map(has));
      most = Math.max(most, answers.filter((answer) => !answer).length);
      await sleep(20);
    }
  };
  const sampling = sample();
  try {
    await work();
  } finally {
    over = true;
    await sampling;
  }
  return most;
}

describe('a cluster of three hosts', () => {
  test('plan shows the changes, and makes none', async () => {
    const { code, stdout } = await cluster.runLine(docCommand('README.md', 'mesosup plan'));
    expect(code, stdout).toBe(3);
    for (const name of ['h1', 'h2', 'h3']) expect(stdout).toContain(name);
    expect(stdout).toContain('aventer-mesos');
    const after = await lists();
    for (const [name, list] of before) expect(listDifference(list, after.get(name))).toEqual([]);
  });

  test('plan says why a new cluster gets no TLS, and refuses it if the file asks for TLS', async () => {
    const { good, version } = lab.mesos();
    const spec = { mesos: mesosOf(good, version), schedulerFlags: { https_port: '8443' } };
    await cluster.writeSpec(spec);
    const plain = await cluster.run('plan', '--brief');
    expect(plain.stdout).toMatch(
      /^TLS: +none: schedulerFlags of the cluster file sets https_port, .*schedulerFlags/m,
    );
    await cluster.writeSpec({ ...spec, tls: true });
    const refused = await cluster.run('plan');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('sets https_port')]);
    await cluster.writeSpec({ mesos: spec.mesos });
    expect((await cluster.run('plan', '--brief')).stdout).not.toMatch(/^TLS:/m);
  });

  test(
    'install --start makes a healthy cluster',
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

  test('ZooKeeper has a quorum of three, one master and one scheduler lead, three agents are registered', async () => {
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
      .replaceAll('~/.local/state/mesosup/NAME', cluster.state)
      .replace('h1:8080', `${h1.address}:${PORTS.scheduler}`);
    const { stdout } = await execa('sh', ['-c', command]);
    expect(stdout).toMatch(new RegExp(`^${APP} \\d+( [\\d.]+:\\d+){3}`));
  });

  test('every scheduler shows the output of tasks, and runs commands in containers', async () => {
    const answer = await cluster.api(h1, '/v2/tasks');
    const { tasks } = (await answer.json()) as { tasks: { id: string; host: string }[] };
    expect(tasks).toHaveLength(3);
    for (const [i, { id, host }] of tasks.entries()) {
      const asked = lab.hosts.find((h) => h.address !== host) ?? h1;
      const log = await cluster.api(asked, `/v2/tasks/${id}/log?stream=stdout`);
      expect([log.status, await log.text()]).toEqual([200, expect.stringContaining('Ready to accept')]);
      const files = await cluster.api(asked, `/v2/tasks/${id}/files`);
      expect(files.status, await files.text()).toBe(200);
      const body = JSON.stringify({ argv: ['redis-cli', 'GET', 'x'] });
      const created = await cluster.api(asked, `/v2/tasks/${id}/exec`, { method: 'POST', body });
      const session = (await created.json()) as CreatedSession;
      const authorization = `Basic ${Buffer.from(`mesosup:${(await cluster.secrets()).api}`).toString('base64')}`;
      const { scheme, ...trust } = await cluster.scheme();
      const base = `${scheme}://${asked.address}:${PORTS.scheduler}`;
      const client = await ExecClient.join(base, session.url, { headers: { authorization }, ...trust });
      await client.end();
      expect(await client.outcome()).toMatchObject({ code: 0 });
      expect([`task ${i}`, client.stdout()]).toEqual([`task ${i}`, expect.stringMatching(/^\d\n$/)]);
    }
  });

  test('the janitor says what it would remove, and runs by its unit', async () => {
    const dryRun = docCommand('docs/containers.md', 'sudo /var/lib/mesos/executors/docker');
    expect(await h1.run(dryRun)).not.toContain('error');
    await h1.run('systemctl start mesosup-janitor');
    expect(await h1.run(docCommand('docs/containers.md', 'journalctl'))).toMatch(
      /Finished mesosup-janitor.service/,
    );
    // Redis runs, and was not pulled.
    expect(await containers()).toHaveLength(3);
  });

  test('a second install changes nothing, and restarts no process', async () => {
    const was = await pids();
    const done = await cluster.run('install', '--start', '--yes');
    expectDone(done);
    expect(done.stdout).toMatch(/no changes/i);
    expect(await cluster.planned()).toEqual({});
    const is = await pids();
    const logs = lab.hosts.map((h) => h.run('journalctl -u mesosup-scheduler -n 20 --no-pager'));
    expect(is, (await Promise.all(logs)).join('\n')).toEqual(was);
  });

  test('no secret is in an argument list, a journal, a log, or a file that other users may read', async () => {
    await expectNoSecrets(lab.hosts, secretValues(await cluster.secrets()));
  });

  test('refuses access without credentials', async () => {
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
    // The leading master: the others redirect before they check credentials.
    const leads = await Promise.all(
      lab.hosts.map(async (h) => {
        const answer = await cluster.operator(h, PORTS.master, '/metrics/snapshot');
        return ((await answer.json()) as Record<string, number>)['master/elected'] === 1;
      }),
    );
    const host = lab.hosts[leads.indexOf(true)] ?? h1;
    for (const [port, route, init] of asked) {
      const answer = await cluster.fetch(`${host.address}:${port}${route}`, { ...init, redirect: 'manual' });
      await answer.body?.cancel();
      expect(`${port}${route} ${answer.status}`).toBe(`${port}${route} 401`);
    }
    const tls = mesosTlsVariables(
      { secrets: { tls: { state: 'require', trusted: '', leaves: {} } } },
      'agent',
    )
      .map(([name, value]) => `${name}=${value}`)
      .join(' ');
    // An agent without credentials is rejected repeatedly, and only the master logs it.
    await h1.run(`
      export ${tls}
      timeout 120 mesos-agent --master=${host.address}:5050 --work_dir=/tmp/stray --port=5999 --ip=${h1.address} \
        --runtime_dir=/tmp/stray-run --launcher=posix --no-systemd_enable_support >/tmp/stray.log 2>&1 </dev/null & echo $! >/tmp/stray.pid`);
    await until('the agent is turned away', async () =>
      /Refusing registration of agent at .* because it is not authenticated/.test(
        await host.run('journalctl -q -o cat -u mesos-master'),
      ),
    );
    await h1.run('kill $(cat /tmp/stray.pid)');
    // The reason for one of its flags: with Mesos' own systemd support, no agent starts with only cgroups v2.
    const bare = `--master=${host.address}:5050 --work_dir=/tmp/bare --port=5998 --ip=${h1.address} --launcher=posix`;
    const refused = await h1.exec(`timeout 60 mesos-agent ${bare} 2>&1`);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain("'/sys/fs/cgroup/systemd' is not a valid hierarchy");
    const agents = (await (await cluster.operator(host, PORTS.master, '/slaves')).json()) as {
      slaves: unknown[];
    };
    expect(agents.slaves).toHaveLength(3);
  });
});

/** Executors of the app by host: the processes that the agent started. */
async function executors(): Promise<string[]> {
  const all = await Promise.all(
    lab.hosts.map(
      async (h) => `${h.name} ${await h.run("pgrep -f '^/bin/sh .*executors/docker' | sort | xargs")}`,
    ),
  );
  return all.map((line) => line.trim());
}

describe('containers and executors of an agent', () => {
  const agentOf = (host: LabHost) => pidOf(host, 'mesos-agent');

  /** Disturbs the agents of some hosts; each gets a new process, and its executors and containers keep running. */
  async function expectOutlived(hosts: readonly LabHost[], what: () => Promise<void>): Promise<void> {
    const was = { containers: await containers(), executors: await executors() };
    expect(was.containers).toHaveLength(3);
    for (const line of was.executors) expect(line).toMatch(/^h\d \d/);
    const agents = await Promise.all(hosts.map(agentOf));
    await what();
    await until('the agents are others', async () => {
      const now = await Promise.all(hosts.map(agentOf));
      return now.every((pid, i) => pid !== '0' && pid !== agents[i]);
    });
    await until('the cluster is healthy', async () => (await cluster.status()).healthy, 120_000);
    expect({ containers: await containers(), executors: await executors() }).toEqual(was);
    await running();
  }

  test('survive its restart and its crash', async () => {
    await expectOutlived([h1], async () => void (await h1.run('systemctl restart mesos-agent')));
    await expectOutlived(
      [h2],
      async () => void (await h2.run('systemctl kill -s KILL --kill-who=main mesos-agent')),
    );
  });

  test('survive a reload of systemd, which does not affect the agent either', async () => {
    const was = { containers: await containers(), executors: await executors(), agent: await agentOf(h1) };
    await h1.run('systemctl daemon-reload; systemctl daemon-reexec');
    expect((await cluster.status()).healthy).toBe(true);
    expect({
      containers: await containers(),
      executors: await executors(),
      agent: await agentOf(h1),
    }).toEqual(was);
  });

  test(
    'survive an upgrade of its package',
    async () => {
      const { good, nextVersion } = lab.mesos();
      await cluster.writeSpec({ mesos: mesosOf(good, nextVersion) });
      await expectOutlived(lab.hosts, async () => expectDone(await cluster.run('install', '--yes')));
      for (const host of lab.hosts)
        expect(await host.run('dpkg -s aventer-mesos')).toContain(`\nVersion: ${nextVersion}\n`);
      // Without a version in the file, the installed package stays.
      await cluster.writeSpec();
      expectDone(await cluster.run('install', '--yes'));
      expect(await cluster.planned()).toEqual({});
    },
    INSTALL_MS,
  );
});

describe('a host with the role lb', () => {
  const roles = ['zookeeper', 'master', 'scheduler', 'agent'];
  const [first, ...others] = ['h1', 'h2', 'h3'].map((name) => ({ name, roles }));
  /** redis-cli at the service port of the app, on this machine's Redis image. */
  async function askAt(host: LabHost, line: string): Promise<string> {
    const text = await (await cluster.api(h1, '/v1/endpoints')).text();
    const port = new RegExp(`^${APP} (\\d+) `, 'm').exec(text)?.[1];
    const image = await ensureRedisImage();
    return `docker run --rm ${image} redis-cli -h ${host.address} -p ${port} ${line}`;
  }
  const haproxies = () => h1.run("ps -eo pid,user:20,args | grep '[/]usr/sbin/haproxy' || :");

  test(
    'serves the 2013 example at its service port, with the least rights',
    async () => {
      cluster.flags = [];
      await cluster.writeSpec({ hosts: [{ name: 'h1', roles: [...roles, 'lb'] }, ...others] });
      expectDone(await cluster.run('install', '--start', '--yes'));
      const { hosts } = await cluster.healthy();
      const role = hosts[0]?.roles.find((one) => one.role === 'lb');
      expect(role).toMatchObject({ healthy: true, state: 'serves 1 port of apps' });
      expect(await cluster.planned()).toEqual({});
      const get = await askAt(h1, 'GET x');
      for (const host of [h1, h2]) expect((await host.run(get)).trim()).toMatch(/^[012]$/);
      expect((await haproxies()).trim().split('\n')).toEqual([
        expect.stringMatching(/ mesosup-lb /),
        expect.stringMatching(/ mesosup-lb /),
      ]);
      expect(await h1.run('systemctl is-enabled haproxy; systemctl is-active haproxy; :')).toBe(
        'disabled\ninactive',
      );
      expect(await h1.run("stat -c '%a %U' /etc/mesosup/lb/credentials")).toBe('600 mesosup-lb');
      // As a viewer it can't change anything.
      const request = `curl -s --cacert /etc/mesosup/tls/ca.pem -o /dev/null -w '%{http_code}' -u "$(cat /etc/mesosup/lb/credentials)"`;
      const url = `https://${h1.address}:${PORTS.scheduler}/v2/apps`;
      if ((await h1.exec('command -v curl')).code === 0) {
        expect(await h1.run(`${request} ${url}`)).toBe('200');
        expect(await h1.run(`${request} -X POST -d '{}' ${url}`)).toBe('403');
      }
    },
    INSTALL_MS,
  );

  test('loses no connection while its program and the schedulers restart or die', async () => {
    const get = await askAt(h1, 'GET x');
    const before = await haproxies();
    // One connection that is in use for the whole time: a second one would have another client's name.
    const name = 'kept-connection';
    const kept = h2.exec(
      `(echo CLIENT SETNAME ${name}; i=0; while [ $i -lt 60 ]; do echo CLIENT GETNAME; sleep 0.25; i=$((i+1)); done) | ` +
        get.replace('docker run --rm', 'docker run --rm -i').replace(' GET x', ''),
    );
    await sleep(1500);
    await h1.run('systemctl restart mesosup-lb');
    for (const host of lab.hosts) await host.run('systemctl restart --no-block mesosup-scheduler');
    expect((await h2.run(get)).trim()).toMatch(/^[012]$/);
    await h1.run('systemctl kill -s KILL --kill-who=main mesosup-lb');
    expect((await h2.run(get)).trim()).toMatch(/^[012]$/);
    const { stdout, stderr, code } = await kept;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n')).toEqual(['OK', ...Array.from({ length: 60 }, () => name)]);
    // The program has loaded its configuration again; the process that is in charge is the same.
    expect((await haproxies()).split('\n')[0]).toBe(before.split('\n')[0]);
    await cluster.healthy();
  });

  test(
    'serves nothing after the role is taken away',
    async () => {
      const get = await askAt(h1, 'GET x');
      await cluster.writeSpec({ hosts: [first, ...others] });
      expect((await cluster.planned()).h1).toContain('remove file:/etc/systemd/system/mesosup-lb.service');
      expectDone(await cluster.run('install', '--yes'));
      expect(await haproxies()).toBe('');
      expect((await h2.exec(get)).stdout + (await h2.exec(get)).stderr).toContain('Connection refused');
      expect(await cluster.planned()).toEqual({});
      await cluster.healthy();
      // Its state stays for the next time, like all data.
      expect(await h1.run('ls /var/lib/mesosup/lb')).toContain('state.json');
      cluster.flags = ['--hosts', 'h1,h2,h3'];
    },
    INSTALL_MS,
  );
});

describe('changes', () => {
  test('an additional attribute changes one host, restarts one service, and keeps containers and tasks', async () => {
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

  test('refuses another value of an attribute; with the flag, drains and replaces the agent', async () => {
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

  test('the plan shows a service stopped and a file edited manually, and install repairs them', async () => {
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

  test('applies a saved plan unchanged, and refuses it when the hosts have changed', async () => {
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
    'another flag of the masters: at most one is down at a time, and tasks keep running',
    async () => {
      await cluster.writeSpec({
        agentFlags: { gc_delay: '2days' },
        masterFlags: { max_agent_ping_timeouts: '6' },
        hosts: ['h1', { name: 'h2', attributes: { rack: 'b' } }, 'h3'],
      });
      const was = { pids: await pids(), containers: await containers() };
      const away = await mostAway(
        (h) => cluster.hasMaster(h),
        async () => expectDone(await cluster.run('install', '--yes')),
      );
      expect(away).toBe(1);
      const now = await pids();
      const changed = Object.keys(now).filter((name) => now[name] !== was.pids[name]);
      expect(changed.sort()).toEqual(['h1 mesos-master', 'h2 mesos-master', 'h3 mesos-master']);
      expect(await containers()).toEqual(was.containers);
      await cluster.healthy();
    },
    INSTALL_MS,
  );

  test(
    'a flag that masters refuse: the first master fails, and the others are not changed',
    async () => {
      const hosts = ['h1', { name: 'h2', attributes: { rack: 'b' } }, 'h3'];
      const flags = { agentFlags: { gc_delay: '2days' }, hosts };
      await cluster.writeSpec({ ...flags, masterFlags: { no_such_thing: '6' } });
      const was = await pids();
      const failed = await cluster.run('install', '--yes');
      expect(failed.code, failed.all).toBe(1);
      expect(failed.stdout).toContain('masterFlags.no_such_thing: the Mesos master has no such flag');
      const [first = ''] = /h\d(?=: service mesos-master)/.exec(failed.stdout) ?? [];
      const others = lab.hosts.filter((h) => h.name !== first);
      expect(others).toHaveLength(2);
      for (const { name } of others) {
        expect(failed.stdout).toContain(`${name}: this host was not changed: ${first} failed`);
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
    'another flag of the schedulers: they restart one at a time, the leader last',
    async () => {
      await cluster.writeSpec({
        agentFlags: { gc_delay: '2days' },
        masterFlags: { max_agent_ping_timeouts: '6' },
        schedulerFlags: { failover_timeout: '86400', http_tokens_file: TOKENS },
        hosts: ['h1', { name: 'h2', attributes: { rack: 'b' } }, 'h3'],
      });
      for (const host of lab.hosts) {
        const write = `umask 077; cat >${TOKENS}; chown mesosup ${TOKENS}`;
        await host.run(write, { input: `[operator]\nci:${TOKEN}\n` });
      }
      const was = { pids: await pids(), containers: await containers() };
      const { leader } = (await (await cluster.api(h1, '/v2/leader')).json()) as { leader: string };
      const away = await mostAway(
        (h) => cluster.hasScheduler(h),
        async () => expectDone(await cluster.run('install', '--yes')),
      );
      expect(away).toBe(1);
      const now = await pids();
      const changed = Object.keys(now).filter((name) => now[name] !== was.pids[name]);
      expect(changed.sort()).toEqual(['h1', 'h2', 'h3'].map((name) => `${name} mesosup-scheduler`));
      const starts = await Promise.all(
        lab.hosts.map(async (h) => ({
          address: `${h.address}:${PORTS.scheduler}`,
          at: Number(
            await h.run('systemctl show -p ExecMainStartTimestampMonotonic --value mesosup-scheduler'),
          ),
        })),
      );
      expect(starts.toSorted((a, b) => a.at - b.at).at(-1)?.address).toBe(leader);
      expect(await containers()).toEqual(was.containers);
      await running();
    },
    INSTALL_MS,
  );
});

describe('commands for apps', () => {
  let user: UserCommands;
  const COUNTS = 'i=0; while true; do echo "line $i"; i=$((i+1)); sleep 1; done';
  const SMALL = ['--cpus', '0.05', '--mem', '16', '--network', 'host'];

  async function leader(): Promise<LabHost> {
    return until('a scheduler leads', async () => {
      const answer = await cluster.api(h1, '/v2/leader').catch(() => undefined);
      if (!answer?.ok) return undefined;
      const { leader: address } = (await answer.json()) as { leader: string };
      return lab.hosts.find((host) => address === `${host.address}:${PORTS.scheduler}`);
    });
  }

  test('find the installed cluster, by addresses though only SSH knows the names of its hosts', async () => {
    user = await UserCommands.of(path.join(lab.directory, 'user'), 'lab', cluster.state);
    expect(await user.run(['list'])).toMatch(/^lab +installed +3 +https:\/\/[\d.]+:8080 +1 app, 3 tasks$/m);
    const agents = await user.run(['agents']);
    for (const { address } of lab.hosts) expect(agents).toMatch(new RegExp(`^${address} +active +1 `, 'm'));
    expect(await user.run(['app', 'exec', APP, '--', 'redis-cli', 'PING'])).toBe('PONG');
    expect(await user.run(['app', 'logs', APP, '--grep', 'Ready to accept'])).toMatch(
      new RegExp(`^${APP}\\S+ +\\| .*Ready to accept`, 'm'),
    );
  });

  test('work through followers and by a token, also while the leader dies', async () => {
    await makeTestImages();
    await Promise.all(lab.hosts.map((host) => loadImage(host, BUSYBOX)));
    const first = await leader();
    const followers = lab.hosts.filter((host) => host !== first);
    const { scheme, caFile = '' } = await cluster.scheme();
    const urls = followers.map(({ address }) => `${scheme}://${address}:${PORTS.scheduler}`);
    const trust = ['--ca', caFile, '--token', '--use'];
    await user.run(['context', 'add', 'followers', ...urls, ...trust], `${TOKEN}\n`);
    expect(await user.run(['context', 'show'])).toMatch(/Authentication {2}token/);
    await user.run(['app', 'run', BUSYBOX, '--id', 'counts', '--instances', '3', '--cmd', COUNTS, ...SMALL]);
    const following = user.start(['app', 'logs', 'counts', '--follow']);
    const logs = new Output(following);
    await until('each instance writes', async () => numbersIn(logs.text, 'counts').size === 3);
    const check = ['--check', 'cmd:test -e /ready', '--cmd', 'sleep 1000'];
    const waiting = user.start(['app', 'run', BUSYBOX, '--id', 'late', ...check, ...SMALL]);
    const progress = new Output(waiting);
    await progress.shows(/1 of 1 running, 0 healthy/);

    // While they run: no token in any argument list.
    const { stdout: here } = await execa('ps', ['-eo', 'args']);
    expect(here).toContain('app logs counts --follow');
    expect(here).not.toContain(TOKEN);

    await first.run('systemctl kill -s KILL mesosup-scheduler');
    const now = await until('another scheduler leads', async () => {
      const found = await leader();
      return found !== first && found;
    });
    expect(followers).toContain(now);
    // The new leader runs commands in the container, too.
    await until('the command has run', async () => {
      const { exitCode } = await user.start(['app', 'exec', 'late', '--', 'sh', '-c', ': > /ready']);
      return exitCode === 0;
    });
    const { exitCode, stdout, stderr } = await waiting;
    process.stdout.write(`${stderr}\n${stdout}\n`);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('Started /late: 1 instance.')]);
    const end = `line ${Math.max(...[...numbersIn(logs.text, 'counts').values()].flat()) + 3}`;
    await logs.shows(new RegExp(`(${end}\\n[^]*){3}`));
    // No line is missing or repeated.
    for (const [task, numbers] of numbersIn(logs.text, 'counts')) {
      expect({ task, numbers }).toEqual({ task, numbers: numbers.map((_, i) => i) });
    }
    following.kill('SIGINT');
    expect((await following).exitCode).toBe(130);
    for (const app of ['counts', 'late']) await user.run(['app', 'stop', app, '--yes']);
    const read = "journalctl -q -o cat --no-pager; cat /proc/[0-9]*/cmdline | tr '\\0' ' '";
    const seen = (await Promise.all(lab.hosts.map((host) => host.run(read)))).join('\n');
    // Only the schedulers that were asked have it.
    expect(seen).toContain('/v2/apps');
    expect(seen.includes(TOKEN)).toBe(false);
    await cluster.healthy();
  }, 240_000);
});

describe('further changes', () => {
  test(
    'a setting that the new scheduler refuses on the host: the first reports why, and all three keep running',
    async () => {
      const hosts = ['h1', { name: 'h2', attributes: { rack: 'b' } }, 'h3'];
      const masterFlags = { max_agent_ping_timeouts: '6' };
      const flags = { agentFlags: { gc_delay: '2days' }, masterFlags, hosts };
      const schedulerFlags = { failover_timeout: '86400', http_tokens_file: TOKENS };
      await cluster.writeSpec({ ...flags, schedulerFlags: { failover_timeot: '3' } });
      const misspelt = await cluster.run('plan');
      expect(misspelt.code).toBe(2);
      expect(misspelt.stderr).toContain('unknown flag; did you mean "failover_timeout"?');
      // The login user can read it there, but the service has a private /tmp.
      for (const host of lab.hosts) await host.run('umask 022; echo 0123456789abcdef >/tmp/tokens');
      await cluster.writeSpec({
        ...flags,
        schedulerFlags: { ...schedulerFlags, http_tokens_file: '/tmp/tokens' },
      });
      const was = await pids();
      const failed = await cluster.run('install', '--yes');
      expect(failed.code, failed.all).toBe(1);
      expect(failed.stdout).toMatch(
        /mesosup-scheduler refuses its new settings: --http_tokens_file can't be read: ENOENT/,
      );
      expect(failed.stdout.match(/this host was not changed: h\d failed/g)).toHaveLength(2);
      expect(failed.stdout).toMatch(/on each host: mesosup logs --run \d+T\d+-install/);
      expect(await pids()).toEqual(was);
      await cluster.writeSpec({ ...flags, schedulerFlags });
      // No file was changed that a crash or a boot would start.
      expect(await cluster.planned()).toEqual({});
      await cluster.writeSpec(flags);
      expectDone(await cluster.run('install', '--yes'));
      for (const host of lab.hosts) await host.run(`rm ${TOKENS}`);
    },
    INSTALL_MS,
  );

  test(
    'an agent whose role is removed is drained, stopped and masked, and returns with the role',
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
      // The next connection to its socket does not start it again either.
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
    'stop stops the services, and start starts them and the tasks again',
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

describe('logs of services', () => {
  test('come from all hosts in the order of their times, chosen by host, service, time and pattern', async () => {
    const all = await cluster.run('logs', '--since', '1h');
    expectDone(all);
    const lines = all.stdout
      .trim()
      .split('\n')
      .map((line) => /^(\S+Z) (h\d) (\w+) +\| /.exec(line) ?? [line]);
    expect(lines.filter((line) => line.length === 1)).toEqual([]);
    expect(new Set(lines.map(([, , host]) => host))).toEqual(new Set(['h1', 'h2', 'h3']));
    expect(lines.map(([, at = '']) => at)).toEqual(lines.map(([, at = '']) => at).toSorted());
    const some = await cluster.run(
      'logs',
      'h2',
      '--service',
      'scheduler',
      '--tail',
      '200',
      '--grep',
      'ZooKeeper',
    );
    expectDone(some);
    expect(some.stdout).toMatch(/^\S+Z h2 scheduler \| .*ZooKeeper/);
    for (const line of some.stdout.trim().split('\n')) expect(line).toMatch(/Z h2 scheduler \| .*ZooKeeper/);
  });

  // doctor-faults.test.ts kills the leader, and silences the network of a host.
  test('follow three hosts through a change of the leader, and a host that goes away and comes back', async () => {
    await expectFollowed(cluster, {
      unseat: 'systemctl restart --no-block mesosup-scheduler',
      says: /Stopp(ing|ed)/,
      cutOff: async (host) => {
        await host.run('systemctl stop ssh');
        await killConnections(host);
        return () => host.run('systemctl start ssh');
      },
    });
  });
});

describe('records of runs', () => {
  test('show what each run did and said on its hosts, and why it failed', async () => {
    const list = await cluster.runLine(docCommand('docs/doctor.md', 'mesosup logs --runs'));
    expectDone(list);
    expect(list.stdout).toMatch(/^\d+T\d+-install +install +\S+Z +.* done /m);
    const [, failed = ''] = /^(\d+T\d+-install\S*) +.* failed on h\d/m.exec(list.stdout) ?? [];
    const shown = await cluster.run('logs', '--run', failed);
    expectDone(shown);
    expect(shown.stdout).toMatch(/^mesosup install of lab by /);
    expect(shown.stdout).toMatch(
      /^\S+Z h\d +\| ✖ service mesos-master: restart: mesos-master does not stay up/m,
    );
    expect(shown.stdout).toMatch(/^failed on h\d, h\d, h\d after /m);
    const last = await cluster.runLine(
      docCommand('docs/doctor.md', 'mesosup logs --run last'),
      'h2',
      '--json',
    );
    expectDone(last);
    const run = JSON.parse(last.stdout) as {
      command: string;
      outcome: string;
      lines: { host: string; text: string }[];
    };
    expect([run.command, run.outcome]).toEqual(['start', 'done']);
    expect(run.lines.filter(({ host }) => !['', 'h2'].includes(host))).toEqual([]);
    expect(run.lines.map(({ text }) => text)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^\d+\/\d+ service mesos-agent: /), 'done']),
    );
    const files = await readdir(path.join(cluster.state, 'runs'));
    expect(files.length).toBeLessThanOrEqual(20);
    const secrets = secretValues(await cluster.secrets());
    for (const name of files) {
      const file = path.join(cluster.state, 'runs', name);
      expect(((await stat(file)).mode & 0o777).toString(8)).toBe('600');
      const text = await readFile(file, 'utf8');
      for (const secret of secrets) expect(text.includes(secret)).toBe(false);
    }
  });
});

// doctor-faults.test.ts seeds faults.
describe('the doctor', () => {
  const diagnosis = async (...flags: string[]) => {
    const { stdout, all } = await cluster.run('doctor', '--json', ...flags);
    try {
      return JSON.parse(stdout) as Diagnosis;
    } catch (cause) {
      throw new Error(all, { cause });
    }
  };

  test('finds nothing in a healthy cluster', async () => {
    const { findings } = await diagnosis();
    expect(findings.map(({ host, check, message }) => `${host || 'lab'} ${check}: ${message}`)).toEqual([]);
  });

  test('writes a support bundle without any secret of the cluster, for its owner only', async () => {
    const file = path.join(cluster.directory, 'support.tar.gz');
    const { bundle, seconds } = (await diagnosis('--bundle', file)) as Diagnosis & {
      bundle: { bytes: number };
    };
    console.log(`doctor of 3 hosts: ${seconds} s`);
    const { size, mode } = await stat(file);
    expect([size, mode & 0o777]).toEqual([bundle.bytes, 0o600]);
    const text = gunzipSync(await readFile(file)).toString('latin1');
    const services = ['zookeeper', 'mesos-master', 'mesos-agent', 'docker', 'mesosup-scheduler'];
    for (const service of services) expect(text).toContain(`support/hosts/h2/logs/${service}.log`);
    for (const role of ['master', 'agent', 'scheduler']) {
      expect(text).toContain(`support/hosts/h3/metrics/${role}.json`);
    }
    for (const what of ['master/elected', '"version": "', 'name: lab', 'zk_avg_latency', 'Active: active']) {
      expect(text).toContain(what);
    }
    for (const secret of secretValues(await cluster.secrets()))
      expect(formsOfSecret(secret).filter((form) => text.includes(form)).length).toBe(0);
  });
});

describe('uninstall', () => {
  test(
    'ends all services, restores the hosts, and names the users that stay',
    async () => {
      await running();
      const plan = await cluster.runLine(docCommand('README.md', 'mesosup uninstall'), '--yes', '--purge');
      expectDone(plan);
      expect(plan.stdout).toContain('stops the agent: 1 task ends');
      for (const host of lab.hosts) {
        expect(plan.stdout).toMatch(new RegExp(`${host.name}: .*user zookeeper`));
        await until('nothing of it runs', async () => {
          const processes = await host.run('ps -eo args');
          return !/mesos|containerd|zookeeper|redis|docker/.test(processes);
        });
      }
      const after = await lists();
      for (const [name, list] of before) {
        expect({ name, left: listDifference(list, after.get(name)) }).toEqual({ name, left: [] });
      }
    },
    INSTALL_MS,
  );
});
