/**
 * Adopts a Mesos that was installed without mesosup, in three ways: ClusterD's package, the files of Mesosphere's packages,
 * and units of one's own. Tasks of a foreign framework keep running when the plan is applied. In the soak, or with
 * MESOSUP_TEST_FORMS for some of them, for example `clusterd,legacy`.
 */

import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PlanSummary } from '../../../src/install/summary.ts';
import { SmallFramework } from '../../embedded/small-framework.ts';
import type { LabHost } from '../../lab/host.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { MEMBER_PACKAGES } from '../../lab/preinstalled.ts';
import { docCommand } from '../../support/docs.ts';
import { runs } from '../../support/runs.ts';
import { until } from '../demo-cluster.ts';
import {
  PASSWORDS,
  setUpClusterd,
  setUpLegacy,
  setUpOwnUnits,
  startZooKeeper,
} from '../support/foreign-mesos.ts';
import { expectDone, LabCluster, type Outcome } from '../support/lab-cluster.ts';

const LONG_MS = 600_000;

interface Site {
  cluster: LabCluster;
  hosts: LabHost[];
  framework: SmallFramework;
}

const ALL = ['clusterd', 'legacy', 'own'] as const;
type Form = (typeof ALL)[number];
const FORMS = ALL.filter((form) => process.env.MESOSUP_TEST_FORMS?.includes(form) ?? true);
const isAsked = runs(1) > 1 || process.env.MESOSUP_TEST_FORMS !== undefined;

let lab: Lab;
const sites = new Map<Form, Site>();

async function setUp(form: Form, hosts: LabHost[]): Promise<void> {
  const [first] = hosts;
  if (!first) throw new Error('no host');
  await startZooKeeper(first);
  if (form === 'clusterd') await Promise.all(hosts.map((host) => setUpClusterd(lab, host, first)));
  else if (form === 'legacy') await setUpLegacy(lab, first);
  else await setUpOwnUnits(lab, first);
  const credential = form === 'clusterd' ? { principal: 'marathon', secret: PASSWORDS.framework } : undefined;
  const framework = new SmallFramework(
    `${first.address}:5050`,
    { failover_timeout: 3600, checkpoint: true },
    credential,
  );
  sites.set(form, { cluster: new LabCluster(lab, form), hosts, framework });
}

beforeAll(async () => {
  if (!isAsked) return;
  const counts = FORMS.map((form) => (form === 'clusterd' ? 2 : 1));
  const total = counts.reduce((sum, one) => sum + one, 0);
  lab = await startLab({ hosts: Array.from({ length: total }, () => ({ packages: MEMBER_PACKAGES })) });
  const rest = [...lab.hosts];
  await Promise.all(FORMS.map((form, i) => setUp(form, rest.splice(0, counts[i]))));
}, LONG_MS);

afterAll(async () => {
  await Promise.all([...sites.values()].map(({ framework }) => framework.end()));
  await lab?.stop();
});

/** The process of the task, and when it started. */
function taskProcess(host: LabHost, seconds: number): Promise<string> {
  return host.run(`for pid in $(pgrep -x sleep); do
      tr '\\0' ' ' </proc/$pid/cmdline | grep -q '^sleep ${seconds} ' && cut -d ' ' -f 1,22 /proc/$pid/stat
    done`);
}

function expectChanges({ code, all }: Outcome): void {
  if (code !== 3) throw new Error(`exit ${code}:\n${all}`);
}

/** Lists files that have changed since /run/before, but for what ZooKeeper, Mesos and Docker write. */
function changedFiles(host: LabHost): Promise<string> {
  return host.run(`find / -xdev -path /proc -prune -o -path /srv -prune -o -path /data -prune -o -path /var/log -prune \\
    -o -path /var/lib/mesos -prune -o -path /var/lib/docker -prune -o -path /var/lib/containerd -prune \\
    -o ! -type d -cnewer /run/before -print`);
}

describe.runIf(isAsked).each(FORMS)('the form %s', (form) => {
  test(
    'is adopted without a change, and its tasks keep running when the plan is applied',
    async () => {
      const site = sites.get(form);
      if (!site) throw new Error('no site');
      const { cluster, hosts, framework } = site;
      const seconds = 77_000 + form.length;
      for (const [index] of hosts.entries()) {
        await until('an offer came', async () => framework.offers.length > 0, 90_000);
        await framework.launch(`task-${index}`, { command: `sleep ${seconds} ${index}` }, 'cpus:0.1;mem:32');
        await until(
          'the task runs',
          async () => framework.statuses(`task-${index}`).some(({ state }) => state === 'TASK_RUNNING'),
          60_000,
        );
      }
      const processes = () => Promise.all(hosts.map((host) => taskProcess(host, seconds)));
      // A task is reported as running before its command has been executed.
      const tasks = await until('the commands run', async () => {
        const seen = await processes();
        return seen.flatMap((lines) => lines.match(/.+/g) ?? []).length === hosts.length && seen;
      });
      await Promise.all(hosts.map((host) => host.run('sleep 1; : >/run/before; sleep 1')));

      const line = docCommand('docs/adopting.md', 'mesosup adopt');
      expect(line).toBe('mesosup adopt --hosts h1,h2,h3');
      const names = hosts.map(({ name }) => name).join(',');
      const adopted = await cluster.adopt('--hosts', names, '--name', `was-${form}`);
      expectDone(adopted);
      expect(await Promise.all(hosts.map(changedFiles))).toEqual(hosts.map(() => ''));
      expect(adopted.all).toContain('No task ends.');
      const spec = await readFile(cluster.specFile, 'utf8');
      for (const secret of Object.values(PASSWORDS)) {
        expect(spec).not.toContain(secret);
        expect(adopted.all).not.toContain(secret);
      }
      expect((await stat(path.join(cluster.state, 'secrets.json'))).mode & 0o777).toBe(0o600);

      expectChanges(await cluster.runLine(docCommand('docs/adopting.md', 'mesosup plan')));
      const planned = await cluster.run('plan', '--start', '--json');
      const { summary } = JSON.parse(planned.stdout) as { summary: PlanSummary };
      expect(summary.endsTasks).toEqual([]);
      const agents = form === 'legacy' ? 'mesos-slave' : 'mesos-agent';
      expect(Object.keys(summary.restarts)).toEqual(expect.arrayContaining(['mesos-master', agents]));

      expectDone(await cluster.run('install', '--start', '--yes'));
      expect(await cluster.planned()).toEqual({});
      const again = await cluster.adopt('--hosts', names, '--name', `was-${form}`, '--force');
      expect(again.code).toBe(1);
      expect(again.all).toContain(`the host belongs to the cluster "was-${form}", which mesosup installed`);
      const { problems } = await cluster.healthy();
      expect(problems).toEqual([]);
      expect(await processes()).toEqual(tasks);
      for (const [index] of hosts.entries()) {
        const states = new Set(framework.statuses(`task-${index}`).map(({ state }) => state));
        expect([...states].filter((state) => !['TASK_STARTING', 'TASK_RUNNING'].includes(state))).toEqual([]);
        // The new agent still controls the task.
        // The framework may still connect to the master again.
        await until('the task can be killed', () => framework.kill(`task-${index}`).then(() => true), 60_000);
        await until(
          'the task is killed',
          async () => framework.statuses(`task-${index}`).some(({ state }) => state === 'TASK_KILLED'),
          60_000,
        );
      }
    },
    LONG_MS,
  );
});
