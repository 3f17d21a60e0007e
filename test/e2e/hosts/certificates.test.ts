/**
 * Moves a cluster of three hosts to TLS under load, renews its certificates, and replaces its authority. Then asks each
 * port in plain text and without a certificate, and searches hosts and this machine for keys. Runs in the soak: it takes
 * about twenty minutes.
 */

import { mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CertificateList } from '../../../src/cluster/certificate-rows.ts';
import { type KeptCertificates, tlsFiles } from '../../../src/cluster/certificates.ts';
import { ClusterState } from '../../../src/cluster/edge/cluster-state.ts';
import { unseal } from '../../../src/cluster/edge/seal.ts';
import { keyLines, secretValues } from '../../../src/cluster/secrets.ts';
import type { LabHost } from '../../lab/host.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { MEMBER_PACKAGES } from '../../lab/preinstalled.ts';
import { docCommand } from '../../support/docs.ts';
import { until } from '../demo-cluster.ts';
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
const EXPORTER = 9103;
const SPEC = {
  hosts: [{ name: 'h1', roles: [...ROLES, 'lb'] }, 'h2', 'h3'],
  monitoring: { listen: 'cluster' },
};

interface Shown {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

describe.skipIf(!isSoak)('the certificates of a cluster', () => {
  let lab: Lab;
  let cluster: LabCluster;
  let h1: LabHost;
  let passPhraseFile: string;
  /** Lines of all keys that were ever used. */
  const keysUsed = new Set<string>();
  let was: string[];

  beforeAll(async () => {
    lab = await startLab({ hosts: Array.from({ length: 3 }, () => ({ packages: MEMBER_PACKAGES })) });
    cluster = new LabCluster(lab);
    h1 = lab.host('h1');
    // Where commands find the cluster and make the pass phrase.
    const home = path.join(lab.directory, 'home');
    process.env.XDG_STATE_HOME = path.join(home, 'state');
    process.env.XDG_CONFIG_HOME = path.join(home, 'config');
    passPhraseFile = path.join(home, 'config/mesosup/ca-passphrase');
    await mkdir(path.join(home, 'state/mesosup'), { recursive: true });
    await makeTestImages();
    await cluster.writeSpec({ ...SPEC, tls: false });
    expectDone(await cluster.run('install', '--start', '--yes'));
    await symlink(cluster.state, path.join(home, 'state/mesosup/lab'));
  }, LONG_MS);
  afterAll(() => lab?.stop());

  const kept = async (): Promise<KeptCertificates> => {
    const found = await new ClusterState(cluster.state).certificates();
    if (!found) throw new Error('the cluster has no certificates');
    const [passPhrase = ''] = (await readFile(passPhraseFile, 'utf8')).split('\n');
    for (const one of found.authorities) {
      const key = (await unseal(Buffer.from(one.key, 'base64'), passPhrase, 'x')).toString();
      for (const line of keyLines(key)) keysUsed.add(line);
    }
    for (const value of secretValues({ tls: tlsFiles(found) } as never)) keysUsed.add(value);
    return found;
  };

  /** Runs a command of the docs that needs no host, in a shell, with the state of the lab. */
  async function local(line: string): Promise<string> {
    const program = line.replace(/^mesosup/, `'${cluster.program}'`);
    const { stdout } = await execa('/bin/sh', ['-c', program], { cwd: cluster.directory });
    return stdout;
  }

  const shown = async (): Promise<CertificateList> =>
    JSON.parse(await local(`${docCommand('docs/certificates.md', 'mesosup certs show')} --name lab -o json`));

  /** @returns the status of the answer, or the code of the error */
  function ask(
    url: string,
    { user = '', headers = {}, ...tls }: Shown & { user?: string; headers?: object } = {},
  ) {
    const { request } = url.startsWith('https:') ? https : http;
    const all = {
      ...headers,
      ...(user && { authorization: `Basic ${Buffer.from(user).toString('base64')}` }),
    };
    return new Promise<number | string>((resolve) => {
      const sent = request(url, { ...tls, headers: all, agent: false, timeout: 10_000 }, (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer')));
      sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      sent.end();
    });
  }

  async function underLoad(what: string, change: () => Promise<void>): Promise<void> {
    const begin = performance.now();
    const { failures, answered } = await underHttpLoad(SERVICE_PORTS, change, h1.address);
    const seconds = Math.round((performance.now() - begin) / 1000);
    console.log(`${what} in ${seconds} s: ${answered} requests, ${failures.length} failed`);
    expect(failures).toEqual([]);
    expect(answered).toBeGreaterThan(500);
    expect(await taskContainers(lab)).toEqual(was);
    await cluster.healthy();
    expect(await cluster.planned()).toEqual({});
  }

  test(
    'ten apps with two containers each run behind haproxy, without TLS',
    async () => {
      await cluster.writeSpec(SPEC);
      await createWebApps(cluster);
      await untilAnswered(SERVICE_PORTS, [], h1.address);
      await cluster.healthy();
      was = await taskContainers(lab);
    },
    LONG_MS,
  );

  test('the dry run shows the phases, and makes nothing', async () => {
    const { code, stdout } = await cluster.runLine(
      docCommand('docs/certificates.md', 'mesosup certs enable --dry-run'),
    );
    expect(code, stdout).toBe(3);
    console.log(stdout);
    expect(stdout.match(/^(?:offer|use|require): /gm)).toHaveLength(3);
    expect(await new ClusterState(cluster.state).certificates()).toBeUndefined();
  });

  /** Kills mesosup while hosts are changed in the second phase. */
  async function interrupted(): Promise<void> {
    const killed = cluster.start('certs', 'enable', '--yes');
    let ended = '';
    killed.then(({ all }) => {
      ended = all || 'it ended';
    });
    const inUse = lab.hosts.map((host) => host.exec.bind(host, 'test -e /etc/mesosup/tls/in-use'));
    await until(
      'a host is in the second phase',
      async () => {
        const codes = await Promise.all(inUse.map(async (ask) => (await ask()).code));
        return codes.includes(0) || ended !== '';
      },
      LONG_MS,
    );
    expect(ended).toBe('');
    killed.kill('SIGKILL');
    expect((await killed).signal).toBe('SIGKILL');
    expect((await new ClusterState(cluster.state).certificates())?.state).toBe('use');
  }

  test(
    'TLS is turned on under load, and resumed when mesosup is killed: no request fails, and no container restarts',
    async () => {
      await underLoad('TLS on', async () => {
        await interrupted();
        const done = await cluster.runLine(
          docCommand('docs/certificates.md', 'mesosup certs enable'),
          '--yes',
          '--verbose',
        );
        console.log(done.all);
        expectDone(done);
        expect(done.stdout).not.toMatch(/^offer/m);
        expect(done.stdout.match(/^(?:use|require)$/gm)).toEqual(['use', 'require']);
      });
      expect((await kept()).state).toBe('require');
      const { certificates } = await shown();
      expect(certificates.filter(({ service }) => service === 'agent').map(({ host }) => host)).toEqual([
        'h1',
        'h2',
        'h3',
      ]);
      expect(certificates.every(({ days }) => days >= 364)).toBe(true);
    },
    LONG_MS,
  );

  test(
    'ports refuse plain text, and services without a certificate; people need none',
    async () => {
      const { leaves } = await kept();
      const agent = leaves.find(({ host, service }) => host === 'h2' && service === 'agent');
      const trust = { ca: (await shown()).trusted };
      const mine = { ...trust, cert: agent?.certificate ?? '', key: agent?.key ?? '' };
      const secrets = await cluster.secrets();
      for (const host of lab.hosts) {
        for (const [port, route] of [
          [PORTS.master, '/health'],
          [PORTS.agent, '/health'],
          [PORTS.scheduler, '/ping'],
          [EXPORTER, '/metrics'],
        ] as const) {
          if (host !== h1 && port !== PORTS.agent && port !== EXPORTER) continue;
          const at = `${host.address}:${port}${route}`;
          const plain = await ask(`http://${at}`);
          expect([at, plain]).toEqual([
            at,
            expect.toBeOneOf([400, 'ECONNRESET', 'EPIPE', 'HPE_INVALID_CONSTANT']),
          ]);
          expect([at, await ask(`https://${at}`, mine)]).toEqual([at, 200]);
          // With its certificate, as a real Mesos ends the handshake of a client that has none.
          expect([at, await ask(`https://${at}`, { cert: mine.cert, key: mine.key })]).toEqual([
            at,
            expect.stringMatching(/CERT|SELF_SIGNED|VERIFY/),
          ]);
        }
        for (const port of host === h1 ? [PORTS.master, PORTS.agent] : [PORTS.agent]) {
          const state = `https://${host.address}:${port}/health`;
          // A real Mesos ends the handshake, the embedded one answers why.
          expect([state, await ask(state, trust)]).toEqual([state, expect.toSatisfy((got) => got !== 200)]);
        }
      }
      const info = `https://${h1.address}:${PORTS.scheduler}/v2/info`;
      const user = `mesosup:${secrets.api}`;
      expect(await ask(info, { ...trust, user })).toBe(200);
      const forwarded = { 'x-marathon-via': 'h2:8080' };
      expect(await ask(info, { ...trust, user, headers: forwarded })).toBe(400);
      expect(await local('mesosup app list --context lab')).toContain('/web0');
      const file = await local(
        `${docCommand('docs/certificates.md', 'mesosup certs trust').replace(/ > .*/, '')} --name lab`,
      );
      expect(`${file}\n`).toBe(trust.ca);
    },
    LONG_MS,
  );

  test(
    'all certificates are renewed under load',
    async () => {
      const before = new Map(
        (await kept()).leaves.map(({ host, service, certificate }) => [`${host}/${service}`, certificate]),
      );
      await underLoad('renewed', async () =>
        expectDone(await cluster.run('certs', 'renew', '--yes', '--verbose')),
      );
      const { leaves } = await kept();
      for (const { host, service, certificate } of leaves)
        expect(certificate).not.toBe(before.get(`${host}/${service}`));
    },
    LONG_MS,
  );

  test(
    'the authority is replaced under load',
    async () => {
      const old = (await shown()).trusted;
      await underLoad('authority replaced', async () => {
        const done = await cluster.runLine(
          docCommand('docs/certificates.md', 'mesosup certs rotate-ca'),
          '--yes',
          '--verbose',
        );
        console.log(done.all);
        expectDone(done);
      });
      const now = await kept();
      expect(now.authorities.map(({ generation }) => generation)).toEqual([2]);
      expect(now.leaves.every(({ authority }) => authority === 2)).toBe(true);
      const info = `https://${h1.address}:${PORTS.scheduler}/ping`;
      expect(await ask(info, { ca: old })).toEqual(expect.stringMatching(/CERT|SELF_SIGNED|VERIFY/));
      expect(await ask(info, { ca: (await shown()).trusted })).toBe(200);
    },
    LONG_MS,
  );

  test('no key is in an argument, a journal, a log, a plan, or a file that others may read', async () => {
    const keys = [...keysUsed];
    expect(keys.length).toBeGreaterThan(20);
    // Only h1 has a scheduler.
    await expectNoSecrets(lab.hosts, keys, 'mesosup/current/lib/monitoring.js');
    const plan = path.join(cluster.directory, 'plan.json');
    expectDone(await cluster.run('plan', '--out', plan));
    const entries = await readdir(cluster.state, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((one) => one.isFile() && one.name !== 'certificates.json')
      .map(({ parentPath, name }) => path.join(parentPath, name));
    expect(files.some((file) => /run-.*\.log$/.test(file))).toBe(true);
    for (const file of [...files, plan]) {
      const text = await readFile(file, 'latin1');
      expect([file, keys.filter((key) => text.includes(key)).length]).toEqual([file, 0]);
    }
    // The authority's key is in no file in plain text, also not in certificates.json.
    const { authorities } = await kept();
    const stored = await readFile(path.join(cluster.state, 'certificates.json'), 'utf8');
    const [passPhrase = ''] = (await readFile(passPhraseFile, 'utf8')).split('\n');
    expect(stored).not.toContain(passPhrase);
    for (const { key } of authorities) {
      const [, line = ''] = (await unseal(Buffer.from(key, 'base64'), passPhrase, 'x'))
        .toString()
        .split('\n');
      expect(line).toHaveLength(64);
      expect(stored).not.toContain(line);
    }
  });
});
