import { expect, test } from 'vitest';
import type { Plan, PlanItem } from './plan.ts';
import { renderPlan } from './render-plan.ts';

const items: PlanItem[] = [
  { id: 'file:/etc/x', action: 'change', title: '/etc/x: change', diff: ['-a', '+b', ' c'] },
  {
    id: 'service:mesos-agent',
    action: 'replace-agent',
    title: 'service mesos-agent: drain',
    diff: [],
    reason: 'because the attribute rack is removed',
    endsTasks: 2,
  },
  { id: 'service:mesos-master', action: 'restart', title: 'service mesos-master: restart', diff: [] },
];
const plan: Plan = {
  format: 1,
  command: 'install',
  cluster: 'prod',
  version: '1',
  hosts: [
    { host: 'h1', basis: '', items },
    { host: 'h2', basis: '', items: [] },
  ],
};

test('shows the changes of each host, restarts, and agents whose tasks end', () => {
  expect(renderPlan(plan, { colour: false })).toBe(`h1  3 changes
  ~ /etc/x: change
      -a
      +b
       c
  ! service mesos-agent: drain because the attribute rack is removed
    replaces the agent: 2 tasks end
  ~ service mesos-master: restart

3 changes on 1 of 2 hosts, 1 service restarts, 1 agent replaced.
`);
});

test('shows a summary before the last line, and no changes on request', () => {
  const options = { colour: false, changes: 'none', summary: ['a', 'b'] } as const;
  expect(renderPlan(plan, options)).toBe(
    'a\nb\n\n3 changes on 1 of 2 hosts, 1 service restarts, 1 agent replaced.\n',
  );
});

test('shows items of several hosts once', () => {
  const [first, second, third] = items;
  const of = (host: string, list: (PlanItem | undefined)[]) => ({
    host,
    basis: '',
    items: list.filter((item) => item !== undefined),
  });
  const shared = { ...plan, hosts: [of('h1', [first, second]), of('h2', [first, third]), of('h3', [first])] };
  expect(renderPlan(shared, { colour: false, changes: 'titles' })).toBe(`h1, h2, h3  1 change each
  ~ /etc/x: change

h1  1 change
  ! service mesos-agent: drain because the attribute rack is removed
    replaces the agent: 2 tasks end

h2  1 change
  ~ service mesos-master: restart

5 changes on 3 of 3 hosts, 1 service restarts, 1 agent replaced.
`);
});

test('omits diffs in the brief form, and has the same text in colour', () => {
  expect(renderPlan(plan, { colour: false, changes: 'titles' })).not.toContain('+b');
  const coloured = renderPlan(plan, { colour: true });
  expect(coloured).toContain('\u001b[32m+b\u001b[39m');
  // biome rejects control characters in patterns.
  const plain = coloured.split('\u001b').map((part, index) => (index ? part.replace(/^\[\d+m/, '') : part));
  expect(plain.join('')).toBe(renderPlan(plan, { colour: false }));
});

test('reports that tasks end even if their number is unknown', () => {
  const [, item] = items;
  const unknown = {
    ...plan,
    hosts: [{ host: 'h1', basis: '', items: item ? [{ ...item, endsTasks: null }] : [] }],
  };
  expect(renderPlan(unknown, { colour: false })).toContain(
    'replaces the agent: its tasks end (their number is unknown)',
  );
});

test('shows one line if there are no changes', () => {
  const none = { ...plan, hosts: plan.hosts.map((host) => ({ ...host, items: [] })) };
  expect(renderPlan(none, { colour: false })).toBe('No changes: 2 hosts up to date.\n');
});
