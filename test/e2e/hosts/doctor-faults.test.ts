/**
 * Seeds faults on the hosts of a healthy cluster, in rounds: the doctor finds each of them, with evidence and what to do,
 * and nothing else. Then --fix corrects those of which it says so. Runs in the soak: it takes about ten minutes.
 */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Authority, Leaf, LeafNames } from '../../../src/cluster/certificates.ts';
import { issueLeaves, makeAuthority } from '../../../src/cluster/edge/authority.ts';
import { ClusterState } from '../../../src/cluster/edge/cluster-state.ts';
import type { Finding } from '../../../src/install/doctor/finding.ts';
import type { Diagnosis } from '../../../src/install/doctor/render.ts';
import { silence } from '../../lab/faults.ts';
import { loadImage } from '../../lab/images.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { MEMBER_PACKAGES } from '../../lab/preinstalled.ts';
import { until } from '../demo-cluster.ts';
import { BUSYBOX, makeTestImages } from '../support/busybox-image.ts';
import { type Fault, ROUNDS } from '../support/doctor-faults.ts';
import { expectFollowed } from '../support/followed-logs.ts';
import { expectDone, LabCluster } from '../support/lab-cluster.ts';

const isSoak = Number(process.env.MESOSUP_SOAK_FACTOR ?? 1) >= 2;
const HOSTS = ['h1', { name: 'h2', attributes: { rack: 'a' } }, { name: 'h3', hostname: 'h3' }];

describe.skipIf(!isSoak)('the doctor', () => {
  let lab: Lab;
  let cluster: LabCluster;

  beforeAll(async () => {
    lab = await startLab({ hosts: Array.from({ length: 3 }, () => ({ packages: MEMBER_PACKAGES })) });
    cluster = new LabCluster(lab);
    await cluster.writeSpec({ hosts: HOSTS });
    expectDone(await cluster.run('install', '--start', '--yes'));
  });
  afterAll(() => lab?.stop());

  async function diagnosis(...flags: string[]): Promise<Diagnosis> {
    const { stdout, all } = await cluster.run('doctor', '--json', ...flags);
    try {
      return JSON.parse(stdout) as Diagnosis;
    } catch (cause) {
      throw new Error(all, { cause });
    }
  }

  const lineOf = (one: Finding) => `${one.host || 'cluster'} ${one.check}: ${one.message}`;
  const summary = ({ findings }: Diagnosis) => findings.map(lineOf);
  const textOf = ({ message, evidence }: Finding) => `${[message, ...evidence].join('\n')}\n`;

  function findingOf({ host, at = host, check, says }: Fault, { findings }: Diagnosis): Finding | undefined {
    return findings.find((one) => one.host === at && one.check === check && says.test(textOf(one)));
  }

  async function expectHealthy(): Promise<void> {
    await cluster.healthy();
    expect(summary(await diagnosis())).toEqual([]);
  }

  test('finds nothing right after the installation', async () => {
    expect(summary(await diagnosis())).toEqual([]);
  });

  test('finds nothing while all hosts are under load', async () => {
    const busy = "timeout 60 sh -c 'for i in 1 2; do sha256sum /dev/zero & done; wait'";
    await Promise.all(lab.hosts.map((host) => host.run(`${busy} >/dev/null 2>&1 & echo $! >/run/busy`)));
    try {
      for (let i = 0; i < 3; i += 1) expect(summary(await diagnosis())).toEqual([]);
    } finally {
      await Promise.all(lab.hosts.map((host) => host.run('kill $(cat /run/busy); pkill -x sha256sum || :')));
    }
  });

  /** Makes the faults. @returns the first diagnosis that names all of them, or the last one */
  async function seed(faults: readonly Fault[]): Promise<Diagnosis> {
    for (const { host, make } of faults) {
      if (typeof make === 'string') await lab.host(host).run(make);
      else await make(lab.host(host));
    }
    let last: Diagnosis | undefined;
    // Some services fail only after a while.
    await until(
      'each fault is found',
      async () => {
        const found = await diagnosis();
        last = found;
        return faults.every((fault) => findingOf(fault, found) !== undefined);
      },
      120_000,
    ).catch(() => {});
    if (last === undefined) throw new Error('there is no diagnosis');
    return last;
  }

  test.each(ROUNDS)('finds each fault of $title, and nothing else', async ({ faults, also }) => {
    let found: Diagnosis;
    try {
      found = await seed(faults);
      console.log((await cluster.run('doctor')).stdout);
    } finally {
      for (const { host, back } of faults.toReversed())
        if (back !== undefined) await lab.host(host).run(back);
    }
    const fixedFaults = faults.filter(({ fixed }) => fixed !== undefined);
    const fixed = fixedFaults.length > 0 ? await cluster.run('doctor', '--fix', '--yes') : undefined;
    // A failure below must not disturb the next round.
    await cluster.healthy();

    const { findings } = found;
    const expected = faults.map((fault) => findingOf(fault, found));
    const isFollowing = (one: Finding) =>
      also.some((pair) => {
        const [host = '', check = ''] = pair.split(' ');
        return [one.host || 'cluster', '*'].includes(host) && [one.check, '*'].includes(check);
      });
    const others = findings.filter((one) => !expected.includes(one) && !isFollowing(one));
    const notFixable = fixedFaults.filter((fault) => {
      const isFixable =
        fault.fixed === 'finding' ? findingOf(fault, found)?.fixable : findings.some((one) => one.fixable);
      return !isFixable;
    });
    const faultOf = ({ host, check, says }: Fault) => `${host} ${check} ${says}`;
    expect({
      missing: faults.filter((fault) => findingOf(fault, found) === undefined).map(faultOf),
      others: others.map((one) => [lineOf(one), ...one.evidence]),
      notFixable: notFixable.map(faultOf),
      withoutRemedy: findings.filter(({ remedy }) => remedy === '').map(lineOf),
    }).toEqual({ missing: [], others: [], notFixable: [], withoutRemedy: [] });
    if (fixed) {
      expect(fixed.all).toMatch(/no faults found on 3 hosts \([\d.]+ s\)/);
      expectDone(fixed);
    }
    await expectHealthy();
  });

  /** Gives the agent of h2 another certificate. @returns the authority of the cluster */
  async function putCertificate(issue: (kept: Authority, names: LeafNames) => Promise<Leaf | undefined>) {
    const kept = await new ClusterState(cluster.state).certificates();
    const [authority] = kept?.authorities ?? [];
    const leaf = kept?.leaves.find(({ host, service }) => host === 'h2' && service === 'agent');
    if (authority === undefined || leaf === undefined) throw new Error('the cluster has no certificates');
    const made = await issue(authority, { host: 'h2', service: 'agent', names: leaf.names });
    const h2 = lab.host('h2');
    await h2.run('cat >/etc/mesosup/tls/agent.pem', { input: made?.certificate ?? '' });
    await h2.run('cat >/etc/mesosup/tls/agent-key.pem', { input: made?.key ?? '' });
    await h2.run('systemctl restart mesos-agent');
  }

  const DAY_MS = 86_400_000;
  const passPhrase = async () =>
    (await readFile(path.join(lab.directory, 'config/mesosup/ca-passphrase'), 'utf8')).trim();

  test.each<[string, (kept: Authority, names: LeafNames, phrase: string) => Promise<Leaf[]>, RegExp]>([
    [
      'has run out',
      (kept, names, phrase) =>
        issueLeaves(kept, [names], { passPhrase: phrase, now: Date.now() - 400 * DAY_MS, file: 'x' }),
      /the certificate of .* in \/etc\/mesosup\/tls\/agent\.pem expired on 20\d\d-/,
    ],
    [
      'is of a foreign authority',
      async (_kept, names) =>
        issueLeaves(await makeAuthority('foreign', 1, 'x', Date.now()), [names], {
          passPhrase: 'x',
          now: Date.now(),
          file: 'x',
        }),
      /the certificate of .* in \/etc\/mesosup\/tls\/agent\.pem, issued by .*foreign.*, is not of an authority/,
    ],
    [
      'is for another host',
      (kept, names, phrase) =>
        issueLeaves(kept, [{ ...names, names: ['h9'] }], {
          passPhrase: phrase,
          now: Date.now(),
          file: 'x',
        }),
      /the certificate of .* in \/etc\/mesosup\/tls\/agent\.pem is for h9, and not for 10\./,
    ],
  ])('names the certificate of an agent that %s', async (_what, issue, says) => {
    const phrase = await passPhrase();
    await putCertificate(async (kept, names) => (await issue(kept, names, phrase))[0]);
    let found: Diagnosis | undefined;
    await until(
      'the doctor names it',
      async () => {
        found = await diagnosis();
        return found.findings.some((one) => one.host === 'h2' && says.test(textOf(one)));
      },
      60_000,
    ).catch(() => {});
    console.log((await cluster.run('doctor')).stdout);
    const named = found?.findings.find((one) => one.host === 'h2' && says.test(textOf(one)));
    expectDone(await cluster.run('install', '--yes'));
    expect(named?.remedy, JSON.stringify(found?.findings, null, 1)).toMatch(/mesosup (install|certs)/);
    await expectHealthy();
  });

  test('finds an agent that is drained', async () => {
    expectDone(await cluster.run('node', 'drain', 'h2', '--yes'));
    const { findings } = await diagnosis();
    expect(findings.map(({ host, check, remedy }) => [host, check, remedy])).toEqual([
      ['h2', 'drained', 'Put it back into service: mesosup node undrain h2'],
    ]);
    expectDone(await cluster.run('node', 'undrain', 'h2', '--yes'));
    await expectHealthy();
  });

  test('finds faults of the cluster file', async () => {
    await cluster.writeSpec({ hosts: HOSTS, masterFlags: { no_such_thing: '6' } });
    expect(summary(await diagnosis())).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^h1 flags: masterFlags\.no_such_thing: .*no such flag/),
      ]),
    );
    const [h1, h2] = HOSTS;
    await cluster.writeSpec({ hosts: [h1, h2, { name: 'h3', hostname: 'h3', privateAddress: '10.99.9.9' }] });
    expect(summary(await diagnosis())).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^h3 address: the address 10\.99\.9\.9 is not one of the host's own addresses/),
      ]),
    );
    await cluster.writeSpec({ hosts: HOSTS });
    await expectHealthy();
  });

  test('logs are followed through the death of the leader, and of a host without a network', async () => {
    await expectFollowed(cluster, {
      unseat: 'systemctl kill -s KILL mesosup-scheduler',
      says: /(status=9\/KILL|signal)/,
      cutOff: silence,
    });
  });

  test('an uninstall ends the executors of an agent that has failed', async () => {
    await makeTestImages();
    await Promise.all(lab.hosts.map((host) => loadImage(host, BUSYBOX)));
    const app = {
      id: '/sleeps',
      instances: 3,
      cpus: 0.05,
      mem: 16,
      args: ['sleep', '9999'],
      container: { docker: { image: BUSYBOX, network: 'HOST' } },
      constraints: [['hostname', 'UNIQUE']],
    };
    const h3 = lab.host('h3');
    const created = await cluster.api(lab.host('h1'), '/v2/apps', {
      method: 'POST',
      body: JSON.stringify(app),
    });
    expect(created.status, await created.text()).toBe(201);
    const containers = () => h3.run('docker ps -q --filter label=mesosup.task');
    await until('a container runs on h3', async () => (await containers()) !== '', 120_000);
    await h3.run('echo blue >/etc/mesos-agent/colour; systemctl restart mesos-agent');
    await until('the agent has failed', async () =>
      /auto-restart|failed/.test(await h3.run('systemctl show -P SubState mesos-agent')),
    );
    expect(await containers()).not.toBe('');
    expectDone(await cluster.run('uninstall', '--yes', '--purge'));
    for (const host of lab.hosts) {
      await until(`nothing of the cluster runs on ${host.name}`, async () => {
        const processes = await host.run('ps -eo args');
        return !/mesos|zookeeper|containerd-shim|sleep 9999/.test(processes);
      });
    }
  });
});
