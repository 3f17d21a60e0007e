/** Undoes a plan on a real host by its journal. */

import { expect, test } from 'vitest';
import { apply, file, listing, probe, service, startOneHost, undo, unit, wants } from '../support/plans.ts';

test('an uninstall restores the host, and removes its own files', async () => {
  const { host: target, shell, stop } = await startOneHost({ mesos: false });
  try {
    await shell.run('apt-get -qq update; systemctl disable --now cron 2>/dev/null || :');
    await shell.run(
      `mkdir -p /etc/mine; echo mine >/etc/mine/stray; chmod 600 /etc/mine/stray; ln -s stray /etc/mine/l`,
    );
    const before = await listing(shell);
    const { outcome } = await apply(target, [
      wants('create', {
        kind: 'directory',
        path: '/etc/mine',
        owner: 'daemon',
        group: 'root',
        mode: '0700',
        only: ['conf'],
      }),
      wants('create', file('/etc/mine/conf', 'x\n')),
      wants('create', file('/etc/host.conf', 'other\n', { mode: '0600' })),
      wants('remove', { kind: 'absent', path: '/etc/issue' }),
      wants('install', { kind: 'package', name: 'redis-server' }),
      wants('create', { kind: 'user', name: 'robot', home: '/nonexistent', groups: [] }),
      wants('create', unit('tick', 'exec sleep 1000')),
      wants('start', service('tick')),
      wants('start', service('redis-server')),
    ]);
    expect(outcome).toEqual({ ok: true });
    const { mesosup } = await probe(target);
    const items = [
      undo('stop', 'service:tick'),
      undo('restore', 'service:redis-server'),
      ...mesosup.journal
        .toReversed()
        .filter((entry) => entry.kind !== 'service')
        .map((entry) => {
          const id = `${entry.kind}:${'path' in entry ? entry.path : entry.name}`;
          return undo(entry.before === 'absent' ? 'remove' : 'restore', id);
        }),
    ];
    const gone = await apply(target, items, { command: 'uninstall', journal: mesosup.journal });
    expect(gone.outcome).toEqual({ ok: true });
    expect(gone.events.at(-1)).toMatchObject({ event: 'end', ok: true });
    await shell.run('systemctl daemon-reload');
    expect(difference(before, await listing(shell))).toEqual([]);
    expect((await probe(target)).mesosup).toMatchObject({ journal: [], cluster: '' });
  } finally {
    await stop();
  }
});

function difference(before: string, after: string): string[] {
  const [a, b] = [before, after].map((text) => new Set(text.split('\n')));
  return [
    ...[...(a ?? [])].filter((line) => !b?.has(line)).map((line) => `- ${line}`),
    ...[...(b ?? [])].filter((line) => !a?.has(line)).map((line) => `+ ${line}`),
  ];
}
