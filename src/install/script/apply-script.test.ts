import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { scripts } from '../../../test/install/hosts.ts';
import { generateSecrets, secretMark } from '../../cluster/secrets.ts';
import type { PlanAction } from '../item.ts';
import type { PlanItem } from '../plan.ts';
import type { JournalEntry } from '../resources/registry.ts';
import { type Resource, resourceId } from '../resources/registry.ts';
import { type ApplyOptions, applyScript } from './apply-script.ts';

const secrets = generateSecrets(randomBytes);

function wants(action: PlanAction, resource: Resource): PlanItem {
  return { id: resourceId(resource), action, title: '', diff: [], resource };
}

function undo(action: PlanAction, id: string): PlanItem {
  return { id, action, title: '', diff: [] };
}

const link = (path: string): PlanItem => wants('create', { kind: 'link', path, target: 'x' });
const pack = (name: string, version?: string): PlanItem =>
  wants('install', { kind: 'package', name, ...(version === undefined ? {} : { version }) });

function script(items: readonly PlanItem[], options: Partial<ApplyOptions> = {}): string {
  const all = { run: 'r1', command: 'install', cluster: 'c', who: 'me', secrets, ...options } as const;
  return applyScript(scripts, { host: 'h', items, basis: '' }, all);
}

/** The lines that apply the items, without the parts of the script. */
function steps(items: readonly PlanItem[], options: Partial<ApplyOptions> = {}): string[] {
  const lines = script(items, options).split('\n');
  const from = lines.findIndex((line) => /^(remember_cluster|begin_steps) /.test(line));
  return lines.slice(from + 1, lines.indexOf('settle_services', from));
}

describe('packages', () => {
  test('that are consecutive are installed by one apt-get, in their order', () => {
    const lines = steps([link('/a'), pack('p', '1.0'), pack('q'), link('/b'), pack('r')]);
    const doing = lines.filter((line) => /^(begin_item|done_item|link|install_packages)/.test(line));
    expect(doing).toEqual([
      'begin_item 0',
      'link /a x',
      'done_item 0',
      'begin_item 2',
      'begin_item 1',
      "install_packages 'p=~1.0' q",
      'done_item 1',
      'done_item 2',
      'begin_item 3',
      'link /b x',
      'done_item 3',
      'begin_item 4',
      'install_packages r',
      'done_item 4',
    ]);
    // The journal records the state of a resource before it changes.
    expect(lines.indexOf('commit')).toBeLessThan(lines.indexOf('link /a x'));
  });

  test('that are upgraded are not seen in a service that still runs: it restarts, in this run or the next', () => {
    const service = (name: string, restartOn: readonly string[]) =>
      wants('restart', {
        ...{ kind: 'service', name, enabled: true, running: true, inputs: 'i' },
        restartOn: [...restartOn],
      });
    const upgraded = { ...pack('p', '2'), action: 'upgrade' as const };
    const lines = steps([upgraded, service('reads-p', ['package:p']), service('other', ['package:q'])]);
    const at = lines.indexOf('forget_starts reads-p');
    expect(lines[at + 1]).toBe('packages=p');
    expect(lines.filter((line) => line.startsWith('forget_starts'))).toHaveLength(1);
  });

  test('that mesosup installed are removed by an uninstall, others stay', () => {
    const journal: JournalEntry[] = [
      { kind: 'package', name: 'ours', before: 'absent' },
      { kind: 'package', name: 'theirs', before: { version: '1' } },
    ];
    const lines = steps([undo('restore', 'package:ours'), undo('restore', 'package:theirs')], {
      journal,
      command: 'uninstall',
    });
    expect(lines).toContain('drop_packages remove ours');
    expect(lines.join('\n')).not.toContain('drop_packages remove theirs');
  });
});

test('writes a file with its secrets, which do not appear as plain text in the script', () => {
  const item = wants('create', {
    kind: 'file',
    path: '/etc/x',
    content: `key ${secretMark('agent')}\n`,
    owner: 'root',
    group: 'root',
    mode: '0600',
  });
  const text = script([item]);
  const put = text.indexOf("put /etc/x root root 0600 <<'END'");
  const base64 = text.slice(put).split('\n')[1] ?? '';
  expect(Buffer.from(base64, 'base64').toString()).toBe(`key ${secrets.agent}\n`);
  expect(text.slice(text.indexOf('emit()'))).not.toContain(secrets.agent);
});

test('a service is enabled first, waits for its edge, and its item ends last', () => {
  const item = wants('start', {
    kind: 'service',
    name: 'mesos-agent',
    enabled: true,
    running: true,
    inputs: 'abc',
    restartOn: [],
    after: 'master-elected',
  });
  const lines = steps([item]);
  expect(lines.slice(lines.indexOf('begin_item 0'))).toEqual([
    'begin_item 0',
    'set_enabled mesos-agent mesos-agent.service enabled',
    'wait_edge master-elected',
    'run_service start mesos-agent mesos-agent.service abc',
  ]);
});

describe('the check of a service', () => {
  const check = { command: ['/new/node', '--name=a $b'], properties: ['User=x'], before: ['link:/unit'] };
  const service = {
    kind: 'service',
    name: 's',
    enabled: false,
    running: true,
    inputs: 'i',
    restartOn: [],
  } as const;
  const line = "check_service s --property=User=x /new/node '--name=a $$b'";
  const order = (items: readonly PlanItem[]) =>
    steps(items).filter((one) => /^(check_service|link|run_service)/.test(one));

  test('comes before its settings change, and before its start', () => {
    const start = wants('restart', { ...service, check });
    expect(order([link('/a'), link('/unit'), link('/b'), start])).toEqual([
      'link /a x',
      line,
      'link /unit x',
      'link /b x',
      'run_service restart s s.service i',
    ]);
    expect(order([link('/a'), start])).toEqual(['link /a x', line, 'run_service restart s s.service i']);
  });

  test('is omitted if the service does not start', () => {
    expect(order([link('/unit'), wants('enable', { ...service, check })])).toEqual(['link /unit x']);
  });
});

test('removing an agent ends its tasks, and removing Docker ends all containers', () => {
  const lines = steps(
    [
      { ...undo('remove', 'service:mesos-agent'), endsTasks: 2 },
      { ...undo('remove', 'service:docker'), whole: true },
      undo('remove', 'service:mesos-master'),
    ],
    { command: 'uninstall', cluster: "it's" },
  );
  expect(lines.filter((line) => /^(stop_service|end_)/.test(line))).toEqual([
    'stop_service mesos-agent mesos-agent.service',
    "end_tasks /var/lib/mesos 'it'\\''s'",
    'end_engine docker docker.service',
    'stop_service docker docker.service',
    'end_shims',
    'stop_service mesos-master mesos-master.service',
  ]);
});

describe('refuses', () => {
  test.each([
    ['a run whose id is a path', () => script([], { run: '../x' }), "not a run's id"],
    ['an item that wants nothing', () => script([undo('create', 'file:/x')]), 'has no resource'],
    [
      'restoring what nobody remembers',
      () => script([undo('restore', 'file:/x')]),
      'has no entry for file:/x',
    ],
    [
      'a key that was not fetched',
      () => script([wants('create', { kind: 'apt-key', path: '/k', source: { url: 'http://x' } })]),
      'the key for /k was not fetched',
    ],
    [
      'a package file without its digest',
      () => script([wants('install', { kind: 'package', name: 'p', file: { url: 'http://x' } })]),
      'the package file of p has no SHA-256',
    ],
  ])('%s', (_what, make, message) => {
    expect(make).toThrow(message);
  });
});

test('only start and stop record the state of the cluster by default', () => {
  const marks = (options: Partial<ApplyOptions>) =>
    script([], options)
      .split('\n')
      .filter((line) => /^(: >|rm -f )\/var\/lib\/mesosup\/started$/.test(line));
  expect(marks({})).toEqual([]);
  expect(marks({ command: 'start' })).toEqual([': >/var/lib/mesosup/started']);
  expect(marks({ started: true })).toEqual([': >/var/lib/mesosup/started']);
  expect(marks({ command: 'stop' })).toEqual(['rm -f /var/lib/mesosup/started']);
});
