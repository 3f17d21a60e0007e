/**
 * Rotates the secrets of a cluster of three hosts under load, then asks each service with the old and the new ones, and
 * searches hosts and this machine for all of them. Runs in the soak: it takes about ten minutes.
 */

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acceptedPrincipals } from '../../../src/cluster/rotation.ts';
import type { SecretRow } from '../../../src/cluster/secret-rows.ts';
import { type Secrets, secretValues } from '../../../src/cluster/secrets.ts';
import type { LabHost } from '../../lab/host.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { MEMBER_PACKAGES } from '../../lab/preinstalled.ts';
import { docCommand } from '../../support/docs.ts';
import { makeTestImages } from '../support/busybox-image.ts';
import { underHttpLoad } from '../support/http-load.ts';
import { expectDone, LabCluster, PORTS } from '../support/lab-cluster.ts';
import { expectNoSecrets } from '../support/secret-search.ts';
import { taskContainers } from '../support/upgrade-watch.ts';
import { createWebApps, SERVICE_PORTS, untilAnswered } from '../support/web-apps.ts';

const isSoak = Number(process.env.MESOSUP_SOAK_FACTOR ?? 1) >= 2;
/** A bound for hangs. */
const LONG_MS = 1_200_000;
const ROLES = ['zookeeper', 'master', 'scheduler', 'agent'];

describe.skipIf(!isSoak)('the secrets of a cluster', () => {
  let lab: Lab;
  let cluster: LabCluster;
  let h1: LabHost;
  /** All values that were ever used. */
  const everUsed = new Set<string>();

  const note = (secrets: Secrets) => {
    for (const value of secretValues(secrets)) everUsed.add(value);
    return secrets;
  };

  beforeAll(async () => {
    lab = await startLab({ hosts: Array.from({ length: 3 }, () => ({ packages: MEMBER_PACKAGES })) });
    cluster = new LabCluster(lab);
    h1 = lab.host('h1');
    await makeTestImages();
    await cluster.writeSpec({
      hosts: [{ name: 'h1', roles: [...ROLES, 'lb'] }, 'h2', 'h3'],
      monitoring: { listen: 'cluster' },
    });
    expectDone(await cluster.run('install', '--start', '--yes'));
    note(await cluster.secrets());
  }, LONG_MS);
  afterAll(() => lab?.stop());

  const listed = async () => {
    const line = docCommand('docs/secrets.md', 'mesosup secrets list');
    // It connects to no host, and takes no flags for connections.
    const [, ...words] = line.split(' ');
    const places = ['--file', cluster.specFile, '--state', cluster.state];
    const { stdout } = await execa(cluster.program, [...words, ...places, '-o', 'json']);
    return JSON.parse(stdout) as SecretRow[];
  };

  async function ask(place: string, user: string, password: string): Promise<number> {
    const basic = Buffer.from(`${user}:${password}`).toString('base64');
    const answer = await cluster.fetch(place, { headers: { authorization: `Basic ${basic}` } });
    await answer.body?.cancel();
    return answer.status;
  }

  test(
    'ten apps with two containers each run behind haproxy',
    async () => {
      await createWebApps(cluster);
      await untilAnswered(SERVICE_PORTS, [], h1.address);
      await cluster.healthy();
    },
    LONG_MS,
  );

  test('the dry run shows the phases, and changes nothing', async () => {
    const line = docCommand('docs/secrets.md', 'mesosup secrets rotate --all --dry-run');
    const { code, stdout } = await cluster.runLine(line);
    expect(code, stdout).toBe(3);
    console.log(stdout);
    expect(stdout.match(/^(?:accept|use|withdraw): /gm)).toHaveLength(3);
    for (const secret of everUsed) expect(stdout).not.toContain(secret);
    expect(secretValues(await cluster.secrets()).every((value) => everUsed.has(value))).toBe(true);
    expect(await cluster.planned()).toEqual({});
  });

  test(
    'all are rotated under load: no request fails, and no container restarts',
    async () => {
      const old = await cluster.secrets();
      const before = await listed();
      const was = await taskContainers(lab);
      const rotated = before.filter(({ notRotated }) => notRotated === undefined).map(({ name }) => name);
      const begin = performance.now();
      const { failures, answered } = await underHttpLoad(
        SERVICE_PORTS,
        async () => {
          const line = docCommand('docs/secrets.md', 'mesosup secrets rotate --all');
          const done = await cluster.runLine(line, '--yes', '--verbose');
          console.log(done.all);
          expectDone(done);
        },
        h1.address,
      );
      const seconds = Math.round((performance.now() - begin) / 1000);
      console.log(
        `rotated ${rotated.join(', ')} in ${seconds} s, ${answered} requests, ${failures.length} failed`,
      );
      expect(failures).toEqual([]);
      expect(answered).toBeGreaterThan(500);
      expect(await taskContainers(lab)).toEqual(was);
      await cluster.healthy();
      expect(await cluster.planned()).toEqual({});
      expect((await listed()).filter(({ generation }) => generation === 2).map(({ name }) => name)).toEqual(
        rotated,
      );
      const secrets = note(await cluster.secrets());
      expect(secrets.rotated).not.toHaveProperty('phase');
      for (const name of rotated) expect(secrets[name]).not.toBe(old[name]);

      const [operator = ''] = acceptedPrincipals('operator', 'operator', secrets);
      const [monitor = ''] = acceptedPrincipals('mesosup-monitoring', 'monitoring', secrets);
      const [reader = ''] = acceptedPrincipals('mesosup-files', 'files', secrets);
      const status = (port: number, route: string) => `${h1.address}:${port}${route}`;
      const asked: [url: string, user: string, now: string, user: string, before: string, code?: number][] = [
        [status(PORTS.master, '/state'), operator, secrets.operator, 'operator', old.operator],
        [status(PORTS.agent, '/state'), operator, secrets.operator, 'operator', old.operator],
        [
          status(PORTS.agent, '/metrics/snapshot'),
          monitor,
          secrets.monitoring,
          'mesosup-monitoring',
          old.monitoring,
        ],
        [
          status(PORTS.agent, '/files/browse?path=/x'),
          reader,
          secrets.files,
          'mesosup-files',
          old.files,
          404,
        ],
        [status(PORTS.scheduler, '/v2/info'), 'mesosup', secrets.api, 'mesosup', old.api],
        [status(PORTS.scheduler, '/v2/info'), 'mesosup-lb', secrets.lb, 'mesosup-lb', old.lb],
        [
          status(PORTS.scheduler, '/metrics'),
          'mesosup-monitoring',
          secrets.metrics,
          'mesosup-monitoring',
          old.metrics,
        ],
      ];
      for (const [url, user, now, oldUser, oldSecret, code = 200] of asked) {
        // A master that does not lead redirects.
        expect([url, user, [await ask(url, user, now)].map((one) => (one === 307 ? code : one))]).toEqual([
          url,
          user,
          [code],
        ]);
        expect([url, oldUser, await ask(url, oldUser, oldSecret)]).toEqual([url, oldUser, 401]);
      }
      // The secrets of agents and of the framework, which only masters ask for.
      const credentials = await h1.run('cat /etc/mesosup/master-credentials');
      for (const name of ['agent', 'scheduler'] as const)
        expect([name, credentials.includes(secrets[name]), credentials.includes(old[name])]).toEqual([
          name,
          true,
          false,
        ]);
    },
    LONG_MS,
  );

  test(
    'a rotation that a failure broke off is completed by the same command',
    async () => {
      const was = await taskContainers(lab);
      const h3 = lab.host('h3');
      // The agent can't come back, and the phase does not end.
      await h3.run('mv /usr/bin/mesos-agent /usr/bin/mesos-agent.away');
      const failed = await cluster.run('secrets', 'rotate', 'operator', '--yes', '--timeout', '20');
      console.log(failed.all);
      expect(failed.code).toBe(1);
      note(await cluster.secrets());
      await h3.run('mv /usr/bin/mesos-agent.away /usr/bin/mesos-agent');
      const again = await cluster.run('secrets', 'rotate', 'operator', '--yes');
      expectDone(again);
      expect(again.stdout).toContain('Completes the rotation of operator');
      note(await cluster.secrets());
      await cluster.healthy();
      expect(await taskContainers(lab)).toEqual(was);
      expect((await listed()).find(({ name }) => name === 'operator')).toMatchObject({ generation: 3 });
    },
    LONG_MS,
  );

  test('no secret, old or new, is in an argument, a journal, a log, a plan, or a file that others may read', async () => {
    const secrets = [...everUsed];
    // Only h1 has a scheduler.
    await expectNoSecrets(lab.hosts, secrets, 'mesosup/current/lib/monitoring.js');
    const plan = path.join(cluster.directory, 'plan.json');
    expectDone(await cluster.run('plan', '--out', plan));
    const logs = await readdir(cluster.state, { recursive: true, withFileTypes: true });
    const files = logs
      .filter((one) => one.isFile() && !['secrets.json', 'certificates.json'].includes(one.name))
      .map(({ parentPath, name }) => path.join(parentPath, name));
    expect(files.some((file) => /run-.*\.log$/.test(file))).toBe(true);
    for (const file of [...files, plan]) {
      const text = await readFile(file, 'latin1');
      expect([file, secrets.filter((secret) => text.includes(secret)).length]).toEqual([file, 0]);
    }
  });
});
