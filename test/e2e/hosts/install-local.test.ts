/**
 * `curl … | sudo bash` on a bare host without Node, Docker and an SSH server: installs a cluster of this machine, runs
 * the 2013 example, installs again without changes, and uninstalls it.
 */

import { createReadStream } from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClusterStatus } from '../../../src/install/status.ts';
import type { LabHost } from '../../lab/host.ts';
import { ensureRedisImage, loadImage } from '../../lab/images.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { docCommand } from '../../support/docs.ts';
import { until } from '../demo-cluster.ts';
import { fileList, listDifference } from '../support/file-list.ts';
import { LabCluster, PORTS } from '../support/lab-cluster.ts';
import { type ReleaseServer, releaseBuild, serveRelease } from '../support/release-build.ts';

const INSTALL_MS = 600_000;
/** The program's cache of compiled code, and its logs. */
const OWN = /^. (\/opt\/mesosup\/[^/]+\/cache|\/root\/\.local\/state\/mesosup\/lab\/[^/]+\.log)(\/| |$)/;

let lab: Lab;
let host: LabHost;
let server: ReleaseServer;
let before: Map<string, string>;
/** The commands that the installation suggests at its end. */
let proposed: string[];

/** The README's command, with a release from this machine and with arguments. */
function line(args: string): string {
  const shown = docCommand('README.md', 'curl -fsSL URL/bootstrap.sh | sudo bash');
  return `${shown.replace('URL', server.url)} -s -- ${args}`;
}

function bootstrap(args: string): Promise<{ stdout: string; stderr: string; code: number }> {
  return host.exec(line(args));
}

/** Types the command in a terminal, and gives one answer when it is asked for. */
async function inTerminal(args: string, question: string, answer: string) {
  const run = execa('docker', ['exec', '-i', host.container, 'script', '-qec', line(args), '/dev/null'], {
    reject: false,
    stdin: 'pipe',
  });
  let all = '';
  run.stdout.on('data', (chunk) => {
    const asked = all.includes(question);
    all += chunk;
    if (!asked && all.includes(question)) run.stdin.write(answer);
  });
  const { exitCode } = await run;
  return { code: exitCode, all };
}

beforeAll(async () => {
  const release = await releaseBuild();
  lab = await startLab({ hosts: [{ packages: ['curl'] }] });
  host = lab.host('h1');
  server = await serveRelease(release, path.join(lab.directory, 'release'), new URL(lab.mirrorUrl).hostname);
  const cluster = new LabCluster(lab);
  await cluster.writeSpec();
  await host.run('cat >/root/cluster.yaml', { input: createReadStream(cluster.specFile) });
  // The installation would upgrade packages of the image, and an uninstall would keep the new versions.
  await host.run(
    'apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get upgrade -y -qq; rm -rf /var/lib/apt/lists/*_*',
  );
  await host.run('systemctl disable --now ssh');
  expect(await host.run('command -v node docker dockerd; true')).toBe('');
  before = await fileList(host);
}, INSTALL_MS);

afterAll(async () => {
  server?.close();
  await lab?.stop();
});

test('--dry-run shows what would be done, and changes nothing', async () => {
  const { code, stdout } = await bootstrap('--dry-run --file /root/cluster.yaml');
  expect(code).toBe(0);
  const lines = stdout.trim().split('\n');
  expect(lines[0]).toMatch(/^would install with apt: .*libatomic1/);
  expect(lines.filter((line) => line.startsWith('would download'))).toHaveLength(3);
  expect(lines.at(-1)).toBe('would run: mesosup install --local --start --file /root/cluster.yaml');
  expect(listDifference(before, await fileList(host))).toEqual([]);
});

test(
  'makes a cluster of the machine, and suggests commands',
  async () => {
    const began = performance.now();
    const { code, stdout, stderr } = await bootstrap('--file /root/cluster.yaml');
    console.log(`curl | sudo bash: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('lab is healthy');
    // The program that people call also runs on the host: it was downloaded once.
    expect(stdout).not.toContain(': unpack (');
    expect(await host.run('ls -A /opt/mesosup')).toMatch(/^\.bootstrap\n\d+\.\d+\.\d+\ncurrent$/);
    expect(await host.run('readlink -f /usr/local/bin/mesosup')).toMatch(
      /^\/opt\/mesosup\/\d[^/]+\/bin\/mesosup$/,
    );
    proposed = (stdout.split('To try it')[1] ?? '').split('\n').filter((line) => line.startsWith('  '));
    expect(proposed).toHaveLength(4);
  },
  INSTALL_MS,
);

test('the cluster is healthy without ZooKeeper, and its program starts through a link', async () => {
  expect((await host.exec('pgrep -x "sshd|java"')).stdout).toBe('');
  const services = await host.run('systemctl is-active ssh zookeeper mesos-master mesos-agent; true');
  expect(services.split('\n')).toEqual(['inactive', 'inactive', 'active', 'active']);
  const status = JSON.parse(await host.run('cd / && mesosup status --name lab --json')) as ClusterStatus;
  expect(status.problems).toEqual([]);
  expect(status.hosts.map(({ host: name, healthy, drift }) => ({ name, healthy, drift }))).toEqual([
    { name: 'localhost', healthy: true, drift: 0 },
  ]);
  const versions = await host.run('/opt/mesosup/current/bin/mesosup --version; mesosup --version');
  expect(new Set(versions.split('\n')).size).toBe(1);
  expect(versions).toMatch(/^mesosup\/\d+\.\d+\.\d+/);
});

test('the suggested commands run the 2013 example', async () => {
  await loadImage(host, await ensureRedisImage());
  const [status = '', define = '', start = '', endpoints = ''] = proposed.map((line) => line.trim());
  expect(await host.run(status)).toContain('healthy');
  await host.run(`${define}\n${start}`);
  const endpointsLine = await until(
    'two instances run',
    async () => {
      const text = await host.run(`${define}\n${endpoints}`);
      return text.trim().split(/\s+/).length === 4 && text.trim();
    },
    120_000,
  );
  for (const [, address, port] of endpointsLine.matchAll(/(\S+):(\d+)/g)) {
    const ask = `docker run --rm --network host johncosta/redis redis-cli -h ${address} -p ${port}`;
    expect(await host.run(`${ask} SET x 7 && ${ask} GET x`)).toBe('OK\n7');
  }
});

test('certs trust --install lets all programs of the machine trust the cluster', async () => {
  const ask = () => host.exec(`curl -fsS -o /dev/null https://localhost:${PORTS.scheduler}/ping`);
  expect((await ask()).stderr).toContain('certificate');
  const line = docCommand('docs/certificates.md', 'sudo mesosup certs trust --install').replace('sudo ', '');
  expect(await host.run(`${line} --name lab`)).toContain('trust the certificates of lab');
  expect(await ask()).toMatchObject({ code: 0 });
  await host.run(
    docCommand('docs/certificates.md', 'sudo rm').replace('NAME', 'lab').replaceAll('sudo ', ''),
  );
  expect((await ask()).stderr).toContain('certificate');
});

test('changes nothing when it runs again', async () => {
  const pids = () => host.run('pgrep -x "node|mesos-.*|dockerd"');
  const [files, processes] = [await fileList(host), await pids()];
  const { code, stdout, stderr } = await bootstrap('--file /root/cluster.yaml');
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toContain('no changes on 1 host');
  expect(stderr).toContain('already');
  const changed = listDifference(files, await fileList(host)).filter((line) => !OWN.test(line));
  expect(changed.filter((line) => !/\/var\/lib\/(docker|mesos|mesosup\/scheduler)/.test(line))).toEqual([]);
  expect(await pids()).toBe(processes);
  const again = docCommand('README.md', 'mesosup install --local');
  expect(await host.run(`${again} --file /root/cluster.yaml --yes`)).toContain('no changes on 1 host');
});

test('--uninstall without a terminal needs --yes', async () => {
  const { code, stderr } = await bootstrap('--uninstall');
  expect(code).toBe(2);
  expect(stderr).toContain('no terminal to ask for confirmation: --uninstall needs --yes');
  expect(await host.run('mesosup status --name lab')).toContain('healthy');
});

test(
  '--uninstall asks in a terminal, and restores the host',
  async () => {
    const { code, all } = await inTerminal('--uninstall', 'Type the name of the cluster (lab)', 'lab\r');
    expect(code, all).toBe(0);
    expect(listDifference(before, await fileList(host))).toEqual([]);
    expect(await host.run("ps -eo args | grep -E '[m]esos|[c]ontainerd-shim|[r]edis'; true")).toBe('');
    const again = await bootstrap('--uninstall --yes');
    expect(again).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('this script has installed nothing'),
    });
  },
  INSTALL_MS,
);

test('--cli-only installs only the program, and --uninstall removes it', async () => {
  const shown = docCommand('README.md', 'curl -fsSL URL/bootstrap.sh | sudo bash -s -- --cli-only');
  expect(await host.run(shown.replace('URL', server.url))).toContain('Next: mesosup install --hosts');
  expect(await host.run('mesosup --version')).toMatch(/^mesosup\/\d/);
  expect(await host.run('command -v dockerd; true')).toBe('');
  expect((await bootstrap('--uninstall --yes')).code).toBe(0);
  expect(listDifference(before, await fileList(host))).toEqual([]);
});
