/** Faults of `curl … | bash`, each with its error and without an installation, and less common ways to install. */

import { createReadStream } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeSums } from '../../../bin/release/sums.ts';
import type { ExecResult, LabHost } from '../../lab/host.ts';
import { type Lab, startLab } from '../../lab/lab.ts';
import { fileList, listDifference } from '../support/file-list.ts';
import {
  type ReleaseBuild,
  type ReleaseServer,
  releaseBuild,
  serveRelease,
} from '../support/release-build.ts';

let lab: Lab;
let host: LabHost;
let release: ReleaseBuild;
let address: string;
let served: string;
let server: ReleaseServer;
let archive: string;

beforeAll(async () => {
  release = await releaseBuild();
  lab = await startLab({ hosts: [{ packages: ['curl'] }], mesos: false });
  host = lab.host('h1');
  // The installation would upgrade packages of the image, and an uninstall would keep the new versions.
  await host.run(
    'apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get upgrade -y -qq; rm -rf /var/lib/apt/lists/*_*',
  );
  address = new URL(lab.mirrorUrl).hostname;
  archive = `mesosup-${release.version}-linux-${process.arch}.tar.gz`;
}, 600_000);
afterAll(() => lab?.stop());

beforeEach(async ({ task }) => {
  served = path.join(lab.directory, `served-${task.id}`);
  server = await serveRelease(release, served, address);
});
afterEach(() => server.close());

function bootstrap(args = '', around = (command: string) => command): Promise<ExecResult> {
  return host.exec(around(`curl -fsSL ${server.url}/bootstrap.sh | bash -s -- ${args}`));
}

/** All files that the script could leave behind. */
async function traces(): Promise<string> {
  return host.run(
    'ls -A /opt /usr/local/bin /usr/local/share /root /tmp; dpkg-query -W; mount | grep /opt; true',
  );
}

/** Replaces the release by a directory of the test: another archive, with the digests of the real one. */
async function forge(): Promise<string> {
  const directory = path.join(served, release.version);
  await rm(directory);
  await mkdir(directory);
  for (const name of ['SHA256SUMS', 'SHA256SUMS.sig']) {
    await copyFile(path.join(release.directory, name), path.join(directory, name));
  }
  await writeFile(path.join(directory, archive), 'not what was signed');
  return directory;
}

async function sign(directory: string, key: string, namespace = 'mesosup'): Promise<void> {
  const sums = path.join(directory, 'SHA256SUMS');
  await rm(`${sums}.sig`, { force: true });
  await execa('ssh-keygen', ['-q', '-Y', 'sign', '-f', key, '-n', namespace, sums]);
}

async function otherKey(): Promise<string> {
  const key = path.join(served, 'other-key');
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  return key;
}

describe('nothing is installed', () => {
  let before: string;
  beforeEach(async () => {
    before = await traces();
  });
  afterEach(async () => {
    expect(await traces()).toBe(before);
  });

  test('by a truncated script, independent of the position', async () => {
    const script = path.join(served, 'bootstrap.sh');
    await host.run('cat >/root/bootstrap.sh', { input: await readFile(script, 'utf8') });
    server.close();
    const size = (await readFile(script)).length;
    const said = await host.run(`
      cd /root
      cut=0
      while [ $cut -lt $((${size} - 2)) ]; do
        if [ $cut -gt $((${size} - 150)) ]; then cut=$((cut + 1)); else cut=$((cut + 53)); fi
        head -c $cut bootstrap.sh | bash -s -- --dry-run >said 2>&1
        grep -vE '^bash: line [0-9]+: ([^a-z]|.*unexpected|.*here-document)' said
      done
      bash bootstrap.sh --dry-run | tail -n 1
      rm bootstrap.sh said`);
    expect(said).toBe('would run: mesosup install --local --start');
  });

  test('when the archive is not the signed one; packages that apt installed are removed again', async () => {
    await forge();
    const { code, stderr } = await bootstrap();
    expect(code).toBe(1);
    expect(stderr).toContain('installing libatomic1 with apt');
    const sums =
      'has the SHA-256 [0-9a-f]{64}, but the signed SHA-256 is [0-9a-f]{64}. Nothing was installed.';
    expect(stderr).toMatch(new RegExp(`${archive} ${sums}`));
  });
});

describe('nothing is installed on a machine that has all libraries', () => {
  let before: string;
  beforeAll(async () => {
    await host.run('apt-get install -y -qq libatomic1');
  });
  afterAll(async () => {
    await host.run('dpkg --purge libatomic1');
  });
  beforeEach(async () => {
    before = await traces();
  });
  afterEach(async () => {
    expect(await traces()).toBe(before);
  });

  test.each(['another key', 'another namespace', 'other sums', 'no signature'])(
    'when the signature is wrong: %s',
    async (how) => {
      const directory = await forge();
      await writeSums(directory, [archive]);
      if (how === 'another key') await sign(directory, await otherKey());
      if (how === 'another namespace') await sign(directory, release.key, 'file');
      if (how === 'no signature') await writeFile(path.join(directory, 'SHA256SUMS.sig'), '');
      const { code, stderr } = await bootstrap();
      expect(code).toBe(1);
      expect(stderr).toContain(`the signature of ${server.url}/${release.version}/SHA256SUMS is wrong`);
      expect(stderr).toContain('Nothing was installed.');
    },
  );

  test('when the correctly signed digests of another version are served', async () => {
    const directory = await forge();
    const other = 'mesosup-0.0.1-linux-x64.tar.gz';
    await writeFile(path.join(directory, other), 'older');
    await writeSums(directory, [other]);
    await sign(directory, release.key);
    const { code, stderr } = await bootstrap();
    expect(code).toBe(1);
    expect(stderr).toContain(`SHA256SUMS has no ${archive}`);
  });

  test('when the mirror is unreachable, or lacks the version', async () => {
    const refused = await bootstrap(`--mirror http://${address}:1/mesosup`);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/Failed to connect|Couldn't connect/);
    expect(refused.stderr).toContain(
      `http://${address}:1/mesosup/${release.version}/SHA256SUMS could not be downloaded`,
    );
    expect(refused.stderr).toContain('Nothing was installed. Check the network');
    const missing = await bootstrap('--version=9.9.9');
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('error: 404');
    const named = await bootstrap('', (command) => `export MESOSUP_MIRROR=http://${address}:2; ${command}`);
    expect(named.stderr).toContain(
      `http://${address}:2/${release.version}/SHA256SUMS could not be downloaded`,
    );
  });

  test.each([
    ['too small', 'size=50m', /\/opt has \d+ MB free, and \d+ MB are needed\. Nothing was installed\./],
    [
      'full under way',
      'size=1g,nr_inodes=60',
      /the disk of \/opt\/mesosup is full: .* could not be unpacked\. Nothing was installed\. Output of tar: /,
    ],
  ])('when the disk is %s', async (_how, options, message) => {
    const { code, stderr, stdout } = await bootstrap(
      '',
      (command) =>
        `unshare -m bash -c 'mount -t tmpfs -o ${options} tmpfs /opt; ${command}; code=$?; ls -A /opt; exit $code'`,
    );
    expect(stderr).toMatch(message);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });

  test('when the machine is not supported, or the arguments are invalid', async () => {
    const errors = {
      'setarch i686 ': 'no Node runtime for i686: mesosup runs on x86_64 and aarch64',
      'PATH=/root/old:$PATH ': 'the runtime needs glibc 2.28 or later, and this system has 2.27',
      'setpriv --reuid 65534 ': 'mesosup needs root. Run it again as: curl -fsSL http',
    };
    const script = `${server.url}/bootstrap.sh`;
    await host.run(
      "mkdir /root/old; printf '#!/bin/sh\\necho glibc 2.27\\n' >/root/old/getconf; chmod +x /root/old/getconf",
    );
    for (const [prefix, message] of Object.entries(errors)) {
      const { code, stderr } = await host.exec(`curl -fsSL ${script} | ${prefix}bash`);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(message) });
    }
    await host.run('rm -r /root/old');
    const usage = {
      'demo --once': 'the word demo works in a checkout of mesosup only',
      test: 'the word test works in a checkout of mesosup only',
      '--version': '--version needs a value',
      '--version ../x': '--version must look like',
      '--mirror ftp://x': '--mirror must be an http(s) URL, not ftp://x',
      '--cli-only --start': "--cli-only can't be combined with other arguments: --start",
    };
    for (const [args, message] of Object.entries(usage)) {
      const { code, stderr } = await bootstrap(args);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
    }
    const help = await bootstrap('--help');
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining(`${script} | sudo bash`) });
  });

  test('over a mesosup that was installed in another way', async () => {
    await host.run("printf '#!/bin/sh\\n' >/usr/local/bin/mesosup");
    const { code, stderr } = await bootstrap('--cli-only');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining('/usr/local/bin/mesosup already exists'),
    });
    await host.run('rm /usr/local/bin/mesosup');
  });
});

test('installs only the program: through a proxy, with wget, without ssh-keygen, with /tmp and the directory noexec', async () => {
  await host.run(`export DEBIAN_FRONTEND=noninteractive; apt-get install -y -qq wget
    dpkg --purge openssh-server openssh-sftp-server openssh-client curl 2>&1
    mkdir /mnt/x; mount -t tmpfs -o noexec tmpfs /mnt/x; mount -o remount,noexec /tmp`);
  const before = await fileList(host);
  // The script's own URL is only reachable through the proxy.
  await copyFile(path.join(release.out, 'bootstrap.sh'), path.join(served, 'bootstrap.sh'));
  const proxy = new URL(server.url).origin;
  const run = (args: string, before = '') =>
    host.exec(`cd /mnt/x; export http_proxy=${proxy} no_proxy=${address}
      wget -qO bootstrap.sh http://release.invalid/mesosup/bootstrap.sh; ${before}bash -s -- ${args} <bootstrap.sh`);
  const done = await run('--cli-only');
  expect(done.code, done.stderr).toBe(0);
  expect(done.stderr).toContain('installing openssh-client libatomic1');
  expect(await host.run('mesosup --version')).toContain(`mesosup/${release.version} `);
  const installed = await fileList(host);
  expect(await run('--cli-only')).toMatchObject({ code: 0, stderr: expect.stringContaining('already') });

  const asked = await host.exec("cd /mnt/x; script -qec 'bash -s -- --uninstall <bootstrap.sh' /dev/null", {
    input: 'n\n',
  });
  expect(asked).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/Remove mesosup from this machine\? .*mesosup was not removed/s),
  });
  expect(await run('--uninstall --dry-run')).toMatchObject({
    stdout: expect.stringContaining(`would remove /opt/mesosup/${release.version}\n`),
  });
  expect(
    listDifference(installed, await fileList(host)).filter((line) => !/\/cache( |\/)/.test(line)),
  ).toEqual([]);
  expect(await run('--uninstall --yes')).toMatchObject({ code: 0, stdout: '' });
  expect(listDifference(before, await fileList(host))).toEqual([]);
});

test('the Debian package installs the same program, which plans without packing itself, and is removed completely', async () => {
  const before = await fileList(host);
  const name = `mesosup_${release.version}_${(await host.run('dpkg --print-architecture')).trim()}.deb`;
  const input = createReadStream(path.join(release.directory, name));
  await host.run('cat >/run/mesosup.deb', { input });
  await host.run(
    'DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends /run/mesosup.deb',
  );
  expect(await host.run('mesosup --version')).toContain(`mesosup/${release.version} `);
  const plan = await host.exec('mesosup plan --local --json');
  expect(plan.code, plan.stdout + plan.stderr).toBe(3);
  expect(await host.run('ls -A /root/.cache /usr/lib/mesosup 2>/dev/null; true')).not.toContain('payload');
  await host.run('apt-get purge -y -qq mesosup libatomic1');
  expect(listDifference(before, await fileList(host))).toEqual([]);
});
