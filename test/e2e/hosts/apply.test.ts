/** Probes a real host and applies plans on it, with the installer's scripts over SSH. */

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secretMark } from '../../../src/cluster/secrets.ts';
import type { Host } from '../../../src/hosts/host.ts';
import { uploadPayload } from '../../../src/install/edge/upload.ts';
import { startRunScript } from '../../../src/install/script/run-scripts.ts';
import { scripts } from '../../install/hosts.ts';
import type { LabHost } from '../../lab/host.ts';
import type { Lab } from '../../lab/lab.ts';
import { ROOT_ENVIRONMENT, TELLS_ENVIRONMENT } from '../../support/root-environment.ts';
import {
  apply,
  failureOf,
  file,
  listing,
  type OneHost,
  probe,
  secrets,
  service,
  sha256,
  startOneHost,
  unit,
  wants,
} from '../support/plans.ts';

let lab: Lab;
let one: OneHost;
let host: Host;
let shell: LabHost;

beforeAll(async () => {
  one = await startOneHost({ mesos: false });
  ({ lab, host, shell } = one);
});

afterAll(async () => {
  await one?.stop();
});

describe('a probe', () => {
  test('reads the facts of the host', async () => {
    const facts = await probe(host, {
      packages: ['bash', 'nothing-of-the-kind'],
      users: ['daemon', 'nobody-of-the-kind'],
      services: ['ssh', 'nothing-of-the-kind'],
      ports: [22, 23],
      disks: ['/var/lib/not/there', '/'],
    });
    expect(facts).toMatchObject({
      system: { id: 'debian', version: '12', codename: 'bookworm' },
      arch: 'amd64',
      init: 'systemd',
      hostname: 'h1',
      packages: { bash: { status: 'install ok installed' } },
      users: { daemon: { uid: 1, groups: ['daemon'] } },
      services: { ssh: { enabled: 'enabled', state: 'running', file: '/lib/systemd/system/ssh.service' } },
      listeners: [{ port: 22, program: 'sshd' }],
      dpkg: { heldBy: '', broken: [] },
      mesosup: {
        cluster: '',
        current: '',
        payloads: [],
        released: [],
        started: false,
        journal: [],
        run: null,
      },
    });
    expect(facts.glibc).toMatch(/^2\.\d+$/);
    expect(facts.addresses[0]).toBe(shell.address);
    expect(facts.memoryBytes).toBeGreaterThan(2 ** 28);
    expect(Object.keys(facts.packages)).toEqual(['bash']);
    expect(Object.keys(facts.users)).toEqual(['daemon']);
    expect(Object.keys(facts.services)).toEqual(['ssh']);
    expect(facts.diskFreeBytes['/']).toBe(facts.diskFreeBytes['/var/lib/not/there']);
    expect(Math.abs(facts.clock.offsetMs)).toBeLessThan(30_000);
  });

  test('reads unusual names and contents unchanged', async () => {
    await shell.run(`mkdir -p "/tmp/it's" && cd "/tmp/it's" && printf 'a "b"\\n\\\\ é\\n' >'q "\\ é'
      printf x >"$(printf 'line\\nfeed')"; printf y >"$(printf 'bad\\377\\351')"; printf '\\377\\0' >binary
      printf secret >private; chmod 600 private; ln -s "$(printf 'to\\nwhere "')" link; : >empty; mkfifo pipe`);
    const { files } = await probe(host, { trees: ["/tmp/it's", '/tmp/nowhere'], files: ['/etc/hostname'] });
    const at = (name: string) => files[`/tmp/it's/${name}`];
    const text = 'a "b"\n\\ é\n';
    expect(at('q "\\ é')).toEqual({
      type: 'file',
      mode: '0644',
      owner: 'root',
      group: 'root',
      sha256: sha256(text),
      text,
    });
    expect(at('line\nfeed')).toMatchObject({ text: 'x', sha256: sha256('x') });
    expect(at('bad\udcff\udce9')).toMatchObject({ text: 'y', sha256: sha256('y') });
    expect(at('binary')).toMatchObject({ content: '/wA=' });
    expect(at('binary')).not.toHaveProperty('text');
    expect(at('private')).toMatchObject({ mode: '0600', sha256: sha256('secret') });
    expect(at('private')).not.toHaveProperty('text');
    expect(at('link')).toMatchObject({ type: 'link', target: 'to\nwhere "' });
    expect(at('empty')).toMatchObject({ text: '', sha256: sha256('') });
    expect(at('pipe')).toMatchObject({ type: 'other' });
    expect(files['/etc/hostname']).toMatchObject({ text: 'h1\n' });
    expect(files['/tmp/nowhere']).toBeUndefined();
  });

  test('changes nothing on the host', async () => {
    const before = await listing(shell);
    await probe(host, { trees: ['/etc'], packages: ['bash'], services: ['ssh'], health: { master: 5050 } });
    expect(await listing(shell)).toBe(before);
  });

  test('shows no credentials in argument lists or environments, even while it waits for an answer', async () => {
    // The server never answers, so that all clients can be inspected.
    const silent = `use Socket; socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);
      bind(S, sockaddr_in(5050, INADDR_ANY)) or die; listen(S, 9); accept(C, S); sysread(C, $x, 4096);
      foreach (glob("/proc/[0-9]*/cmdline /proc/[0-9]*/environ")) { open(F, $_) or next; local $/; print <F>, "\\0"; }
      print "[asked]$x"; sleep 5`;
    const seen = shell.run(`timeout 20 perl -e '${silent}' || :`);
    await shell.run('until ss -ltn | grep -q :5050; do sleep 0.05; done');
    const facts = await probe(host, { health: { scheduler: 5050, address: '127.0.0.1' } });
    const text = await seen;
    const at = text.lastIndexOf('[asked]');
    const basic = btoa(`mesosup:${secrets.api}`);
    expect(text.slice(at)).toContain(basic);
    expect(text.slice(0, at)).toContain('/dev/tcp');
    expect(text.slice(0, at)).not.toContain(basic.replace(/=+$/, ''));
    expect(text.slice(0, at)).not.toContain(secrets.api);
    expect(facts.scheduler).toMatchObject({ answers: false });
  });
});

describe('an apply', () => {
  test('creates files, directories, links and users, and can be repeated without effect', async () => {
    await shell.run(`mkdir -p /etc/only/deep; echo stray >/etc/only/stray.bak; echo deep >/etc/only/deep/x
      printf z >"$(printf '/etc/only/bad\\377')"; echo old >/etc/replaced; chmod 640 /etc/replaced`);
    const items = [
      wants('create', {
        kind: 'directory',
        path: '/etc/only',
        owner: 'root',
        group: 'daemon',
        mode: '0750',
        only: ['kept'],
      }),
      wants('create', file('/etc/only/kept', 'kept\n')),
      wants('change', file('/etc/replaced', `${secretMark('api')} "é"\n`, { mode: '0600', owner: 'daemon' })),
      wants('create', file("/etc/new/it's here/a\nb", 'deep\n', { mode: '0444' })),
      wants('create', { kind: 'link', path: '/etc/link', target: '../opt/there' }),
      wants('create', { kind: 'user', name: 'robot', home: '/var/lib/robot', groups: ['adm', 'robots'] }),
    ];
    for (let turn = 0; turn < 2; turn += 1) {
      const { outcome, events } = await apply(host, items);
      expect(outcome).toEqual({ ok: true });
      const steps = events.filter(({ event }) => event === 'start' || event === 'done');
      expect(steps.map((e) => `${e.event} ${'item' in e ? e.item : ''}`)).toEqual(
        items.flatMap((_, n) => [`start ${n}`, `done ${n}`]),
      );
      expect(events[0]).toMatchObject({ event: 'begin', items: 6 });
      const facts = await probe(host, {
        files: ['/etc/replaced', '/etc/link', "/etc/new/it's here/a\nb"],
        trees: ['/etc/only', '/var/lib/mesosup'],
        users: ['robot'],
      });
      const { files } = facts;
      expect(Object.keys(files).filter((name) => name.startsWith('/etc/only'))).toEqual([
        '/etc/only',
        '/etc/only/kept',
      ]);
      expect(files['/etc/only']).toMatchObject({ mode: '0750', group: 'daemon' });
      expect(files['/etc/replaced']).toMatchObject({
        mode: '0600',
        owner: 'daemon',
        sha256: sha256(`${secrets.api} "é"\n`),
      });
      expect(files["/etc/new/it's here/a\nb"]).toMatchObject({ mode: '0444', text: 'deep\n' });
      expect(files['/etc/link']).toMatchObject({ type: 'link', target: '../opt/there' });
      expect(facts.users.robot?.groups.toSorted()).toEqual(['adm', 'robot', 'robots']);
      expect(facts.mesosup.run).toBeNull();
      const { journal } = facts.mesosup;
      const of = (name: string) => journal.filter((entry) => 'path' in entry && entry.path === name);
      expect(of('/etc/replaced')).toEqual([
        {
          kind: 'file',
          path: '/etc/replaced',
          before: {
            facts: { type: 'file', mode: '0640', owner: 'root', group: 'root', sha256: sha256('old\n') },
            backup: sha256('old\n'),
          },
        },
      ]);
      expect(of("/etc/new/it's here")).toEqual([
        { kind: 'directory', path: "/etc/new/it's here", before: 'absent' },
      ]);
      expect(of('/etc/only/bad\udcff')).toHaveLength(1);
      expect(files[`/var/lib/mesosup/backup/${sha256('deep\n')}`]).toBeDefined();
      const left = Object.keys(files).filter((name) => /\/(script|escape|hook)$/.test(name));
      expect(left).toEqual([]);
    }
  });

  test('installs packages without starting them, starts services and watches that they stay up', async () => {
    const items = [
      wants('install', { kind: 'package', name: 'redis-server', version: '7.0' }),
      wants('install', { kind: 'package', name: 'tcpdump' }),
      wants('start', service('redis-server', { inputs: 'digest-1' })),
    ];
    const before = await shell.exec('test -e /usr/sbin/policy-rc.d');
    expect(before.code).toBe(1);
    await shell.run("printf '#!/bin/sh\\nexit 0\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d");
    const { outcome, events } = await apply(host, items);
    expect(outcome).toEqual({ ok: true });
    const logged = events.flatMap((e) => (e.event === 'log' ? [e.line] : []));
    expect(logged.filter((line) => /policy-rc.d (denied|returned)/.test(line))).not.toEqual([]);
    expect(logged.filter((line) => line === 'Setting up tcpdump (4.99.3-1) ...')).toHaveLength(1);
    // apt's own progress. How many events there are depends on the machine: at most one a second.
    const progress = events.flatMap((e) => (e.event === 'progress' ? [e] : []));
    console.log(progress.map(({ percent, text }) => `${percent} % ${text}`).join('\n'));
    expect(progress.map(({ text }) => text).join('\n')).toMatch(/redis|libjemalloc|tcpdump|Retrieving|dpkg/);
    for (const { item, percent } of progress)
      expect({ item, valid: percent <= 100 }).toEqual({ item: 0, valid: true });
    expect(await shell.run('cat /usr/sbin/policy-rc.d; rm /usr/sbin/policy-rc.d')).toContain('exit 0');
    const facts = await probe(host, { packages: ['redis-server', 'tcpdump'], services: ['redis-server'] });
    expect(facts.services['redis-server']).toMatchObject({
      state: 'running',
      enabled: 'enabled',
      inputs: 'digest-1',
    });
    expect(facts.packages['redis-server']?.version).toMatch(/^5:7\.0\./);
    const packages = facts.mesosup.journal.flatMap((e) => (e.kind === 'package' ? [e.name] : []));
    expect(packages).toContain('libjemalloc2');
    expect(facts.mesosup.journal).toContainEqual({
      kind: 'package',
      name: 'redis-server',
      before: 'absent',
    });
  });

  test('reloads changed units, restarts, stops, disables and masks', async () => {
    const first = await apply(host, [
      wants('create', unit('tick', 'exec sleep 1000')),
      wants('start', service('tick', { inputs: 'one' })),
    ]);
    expect(first.outcome).toEqual({ ok: true });
    const one = (await probe(host, { services: ['tick'] })).services.tick;
    await apply(host, [
      wants('change', unit('tick', 'exec sleep 2000')),
      wants('restart', service('tick', { inputs: 'two' })),
    ]);
    const two = (await probe(host, { services: ['tick'] })).services.tick;
    expect(two).toMatchObject({ state: 'running', inputs: 'two', enabled: 'enabled', needsReload: false });
    expect(two?.pid).not.toBe(one?.pid);
    expect(await shell.run(`tr '\\0' ' ' </proc/${two?.pid}/cmdline`)).toContain('sleep 2000');
    await apply(host, [wants('stop', service('tick', { enabled: false, running: false }))]);
    const three = (await probe(host, { services: ['tick'] })).services.tick;
    expect(three).toMatchObject({ state: 'stopped', enabled: 'disabled' });
    const masks = [
      wants('disable', service('redis-server', { enabled: false, running: false, masked: true })),
    ];
    expect((await apply(host, masks)).outcome).toEqual({ ok: true });
    const masked = await probe(host, { services: ['redis-server'] });
    expect(masked.services['redis-server']).toMatchObject({ state: 'stopped', enabled: 'masked' });
  });

  test('reports the last lines of a crashing service, with any bytes, and without secrets', async () => {
    const hostile = `printf '%b\\n' 'quote \\042 back \\134\\134 tab \\t bell \\007 bad \\377' 'key ${secrets.agent}'`;
    const items = [
      wants('create', file('/usr/local/bin/hostile', `#!/bin/sh\n${hostile}\nexit 3\n`, { mode: '0755' })),
      wants(
        'create',
        file(
          '/etc/systemd/system/crash.service',
          '[Service]\nExecStart=/usr/local/bin/hostile\nRestart=always\nRestartSec=100ms\n[Install]\nWantedBy=multi-user.target\n',
        ),
      ),
      wants('start', service('crash')),
    ];
    const applied = await apply(host, items, { limits: { stay: 3000 } });
    const failed = failureOf(applied);
    expect(failed).toMatchObject({ item: 2, failure: 'service' });
    expect(failed.message).toMatch(/^crash (does not stay up|ended right after its start)/);
    expect(failed.message).toContain('key ••••••••');
    expect(failed.remedy).toContain('journalctl -u crash.service');
    expect(JSON.stringify(applied.events)).not.toContain(secrets.agent);
    const facts = await probe(host, { services: ['crash'] });
    expect(facts.services.crash).toMatchObject({ inputs: '' });
    await shell.run('systemctl stop crash');
  });

  test('a log event can contain a line of any bytes', async () => {
    const bytes = 'q " b \\ t \t esc \u001b[31m nul-free \u0001 é';
    await shell.run(`cat >/usr/local/sbin/useradd <<'END'
#!/bin/sh
printf '%s\\n' '${bytes}' >&2
printf 'bad \\377 end\\n'
exit 9
END
chmod 755 /usr/local/sbin/useradd`);
    const applied = await apply(host, [
      wants('create', { kind: 'user', name: 'other', home: '/x', groups: [] }),
    ]);
    await shell.run('rm /usr/local/sbin/useradd');
    const lines = applied.events.flatMap((e) => (e.event === 'log' ? [e.line] : []));
    expect(lines).toEqual([bytes, 'bad \ufffd end']);
    expect(failureOf(applied)).toMatchObject({ failure: 'user' });
    expect(failureOf(applied).message).toContain(bytes);
  });

  test('unpacks a payload that was sent once, and refuses one with another digest', async () => {
    await shell.run('mkdir -p /tmp/p/bin && echo run >/tmp/p/bin/tool && tar -C /tmp/p -czf /tmp/p.tgz .');
    const archive = path.join(lab.directory, 'p.tgz');
    const base64 = await shell.run('base64 </tmp/p.tgz');
    const bytes = Buffer.from(base64, 'base64');
    await writeFile(archive, bytes);
    const digest = sha256(bytes);
    const seen: number[] = [];
    const onProgress = (sent: number) => seen.push(sent);
    expect(await uploadPayload(host, scripts, archive, digest, { onProgress })).toBe(true);
    expect(seen.at(-1)).toBe(bytes.length);
    expect(await uploadPayload(host, scripts, archive, digest)).toBe(false);
    await expect(uploadPayload(host, scripts, archive, sha256('other'))).rejects.toThrow(/has the SHA-256/);
    const items = [
      wants('create', { kind: 'payload', version: '1.2.3-abc', sha256: digest, bytes: bytes.length }),
      wants('create', { kind: 'link', path: '/opt/mesosup/current', target: '1.2.3-abc' }),
    ];
    const { outcome } = await apply(host, items, { payload: { file: archive } });
    expect(outcome).toEqual({ ok: true });
    expect(await shell.run('cat /opt/mesosup/current/bin/tool; ls -A /opt/mesosup')).toBe(
      'run\n1.2.3-abc\ncurrent',
    );
    expect((await probe(host)).mesosup).toMatchObject({ current: '1.2.3-abc', payloads: ['1.2.3-abc'] });
  });

  test('runs in the environment of root’s scripts, independent of ~/.bashrc and systemd', async () => {
    const noise = 'echo Welcome; export LANG=tr_TR.UTF-8 BASH_ENV=/nowhere';
    await shell.run(`cp ~/.bashrc /tmp/bashrc; echo '${noise}' >~/.bashrc`);
    await shell.run('systemctl set-environment LANG=tr_TR.UTF-8 BASH_ENV=/nowhere SSH_CLIENT=x');
    const script = TELLS_ENVIRONMENT;
    const start = startRunScript(scripts, 'r-environment', Buffer.byteLength(script));
    const { stdout } = await host.run(start, { input: Buffer.from(script) });
    expect(stdout.trim().split('\n')).toEqual([...ROOT_ENVIRONMENT, '{"followed":true}']);
    await shell.run('systemctl unset-environment LANG BASH_ENV SSH_CLIENT; mv /tmp/bashrc ~/.bashrc');
  });

  test('records that the cluster was started, and the cluster of the host', async () => {
    await apply(host, [wants('create', file('/etc/marker', '1\n'))], { command: 'start' });
    expect((await probe(host)).mesosup).toMatchObject({ started: true, cluster: 'test' });
    await apply(host, [wants('create', file('/etc/marker', '2\n'))], { command: 'stop' });
    expect((await probe(host)).mesosup.started).toBe(false);
  });
});
