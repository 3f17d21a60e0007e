import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filesOf, scenarios, wantedOf } from '../../../test/install/scenarios.ts';
import { parseUpstartJob } from '../../../test/install/upstart-job.ts';
import { LB_SERVICE } from './lb.ts';
import { SCHEDULER_SERVICE } from './scheduler.ts';

const run = promisify(execFile);

/** Builds a root directory with the files that units name, for systemd's own checker. */
describe.each(Object.keys(scenarios).filter((name) => /clusterd|units/.test(name)))(
  'the units of %s',
  (name) => {
    let root = '';
    beforeAll(() => {
      root = mkdtempSync(path.join(tmpdir(), 'mesosup-units-'));
      const put = (file: string, text: string, mode = 0o644) => {
        mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
        writeFileSync(path.join(root, file), text);
        chmodSync(path.join(root, file), mode);
      };
      mkdirSync(path.join(root, 'usr/lib/systemd'), { recursive: true });
      symlinkSync('/lib/systemd/system', path.join(root, 'usr/lib/systemd/system'));
      const programs = [
        '/bin/sh',
        '/opt/mesosup/current/bin/node',
        '/var/lib/mesos/executors/docker',
        '/usr/bin/mesos-init-wrapper',
        '/usr/local/sbin/mesos-agent',
        '/usr/local/sbin/mesos-master',
      ];
      for (const program of programs) put(program, '#!/bin/sh\n', 0o755);
      // The package's unit, which the drop-ins extend.
      for (const role of ['master', 'agent']) {
        put(
          `/etc/systemd/system/mesos-${role}.service`,
          `[Unit]\nDescription=Mesos\n[Service]\nExecStart=/usr/bin/mesos-init-wrapper ${role}\n`,
        );
      }
      for (const file of filesOf(name)) {
        if (file.path.startsWith('/etc/systemd/')) put(file.path, file.content);
      }
    });
    afterAll(() => rmSync(root, { recursive: true, force: true }));

    test('pass systemd-analyze verify without any output', async () => {
      const units = filesOf(name)
        .map((file) => file.path)
        .filter((one) => one.startsWith('/etc/systemd/'))
        .map((one) => /^(.*\.service)\.d\//.exec(one)?.[1] ?? one);
      const expected = name.endsWith('-lb') ? 'mesosup-lb' : 'mesos-agent';
      expect(units).toContain(`/etc/systemd/system/${expected}.service`);
      const files = units.map((unit) => path.join(root, unit));
      const { stdout, stderr } = await run('systemd-analyze', [
        'verify',
        '--man=no',
        `--root=${root}`,
        ...files,
      ]);
      expect(stdout + stderr).toBe('');
    });
  },
);

test.each([
  ['clusterd-of-three', SCHEDULER_SERVICE],
  ['clusterd-with-lb', LB_SERVICE],
])('in %s, the check of %s has the same access to files as the service', (scenario, name) => {
  const resources = wantedOf(scenario);
  const service = resources.find((one) => one.kind === 'service' && one.name === name);
  const check = service?.kind === 'service' ? service.check : undefined;
  const path = `/etc/systemd/system/${name}.service`;
  const unit = resources.find((one) => one.kind === 'file' && one.path === path);
  const lines = unit?.kind === 'file' ? unit.content.split('\n') : [];
  const visible = /^(User|ProtectHome|PrivateTmp)=/;
  expect(lines.filter((line) => visible.test(line)).toSorted()).toEqual(check?.properties.toSorted());
});

/** There is no Upstart for tests: see `parseUpstartJob`. */
describe.each(Object.keys(scenarios).filter((name) => /upstart|jobs/.test(name)))(
  'the jobs of %s',
  (name) => {
    const jobs = filesOf(name).filter((file) => file.path.startsWith('/etc/init/'));

    test('are those that no package contains', () => {
      const names = jobs.map((job) => path.basename(job.path)).toSorted();
      const own = name.includes('jobs') ? ['mesos-agent.conf', 'mesos-master.conf'] : [];
      const monitoring =
        name.includes('upstart') && !name.startsWith('lb-') ? ['mesosup-monitoring.conf'] : [];
      const usual = [...monitoring, 'mesosup-scheduler.conf', 'zookeeper.conf'];
      expect(names).toEqual(name.startsWith('lb-') ? ['mesosup-lb.conf'] : [...own, ...usual]);
    });

    test.each(jobs.map((job) => [job.path, job.content]))('%s has stanzas Upstart knows', (_path, text) => {
      const { stanzas, scripts } = parseUpstartJob(text);
      for (const stanza of ['start on', 'stop on', 'respawn', 'description'])
        expect([...stanzas.keys()]).toContain(stanza);
      // The script must end with exec, so that the init system watches the process itself.
      expect(scripts.get('script')?.trim().split('\n').at(-1)).toMatch(/^\s*exec /);
      execFileSync('/bin/sh', ['-n'], { input: scripts.get('script') ?? '' });
    });
  },
);

test('refuses stanzas that Upstart does not know', () => {
  const job = 'start on runlevel [2345]\nexec /bin/true\n';
  expect(() => parseUpstartJob(job)).not.toThrow();
  for (const wrong of [
    'start upon runlevel [2345]\nexec /bin/true\n',
    'respawn limit often\nexec /bin/true\n',
    'respawn\n',
    'script\n  exec /bin/true\n',
    `${job}exec /bin/false\n`,
    'exec /bin/true',
  ]) {
    expect(() => parseUpstartJob(wrong), wrong).toThrow(SyntaxError);
  }
});
