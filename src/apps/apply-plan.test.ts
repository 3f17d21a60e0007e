import { describe, expect, it } from 'vitest';
import { readDefinition } from '../scheduler/domain/definition.ts';
import { applyQuestion, applyText, planApply } from './apply-plan.ts';

const WEB = {
  id: '/shop/web',
  instances: 2,
  container: { type: 'DOCKER', docker: { image: 'web:1' }, portMappings: [{ containerPort: 80 }] },
  networks: [{ mode: 'container/bridge' }],
  env: { PASSWORD: 's3cret' },
};

/** As the scheduler would answer. */
function running(app: { readonly id: string }) {
  const read = readDefinition(app);
  if ('errors' in read) throw new Error('the app is invalid');
  const { mode: _mode, ...definition } = read.definition;
  return { ...definition, version: '2026-01-01T00:00:00.000Z', tasksRunning: 2, deployments: [] };
}

describe('planApply', () => {
  it('creates an app, and shows the fields of the file', () => {
    const plans = planApply([WEB], [], []);
    expect(plans).toMatchObject([{ id: '/shop/web', change: 'create' }]);
    const text = applyText(plans);
    expect(text).toContain('+ /shop/web is created\n');
    expect(text).toContain('    + container.docker.image: web:1\n');
    expect(text).toContain('    + env.PASSWORD: (a value)\n    + instances: 2\n');
  });

  it('finds no difference in defaults and in service ports that the scheduler chose', () => {
    const current = running(WEB);
    const [mapping] = current.container?.portMappings ?? [];
    if (mapping) mapping.servicePort = 12345;
    expect(planApply([WEB], [current], [])).toEqual([{ id: '/shop/web', change: 'keep', differences: [] }]);
    const withRole = { ...current, role: 'web' };
    expect(planApply([WEB], [withRole], [])).toMatchObject([{ change: 'keep' }]);
    expect(planApply([{ ...WEB, role: 'db' }], [withRole], [])).toMatchObject([{ change: 'change' }]);
    const other = running({ ...WEB, ...{ dependencies: ['/shop/db'] } });
    expect(planApply([{ ...WEB, dependencies: ['db'] }], [other], [])).toMatchObject([{ change: 'keep' }]);
    const [changed] = planApply([{ ...WEB, instances: 3 }], [current], []);
    expect(changed?.differences).toEqual([{ field: 'instances', before: 2, after: 3 }]);
  });

  it('removes apps of pruned groups only', () => {
    const current = [running({ id: '/shop/db' }), running({ id: '/other/db' })];
    const plans = planApply([WEB], current, ['/shop']);
    expect(plans.map(({ id, change }) => `${change} ${id}`)).toEqual(['create /shop/web', 'remove /shop/db']);
    expect(applyQuestion(plans)).toBe('Create 1 app, remove 1 app?');
    expect(planApply([WEB], current, []).map(({ change }) => change)).toEqual(['create']);
  });
});
