import { expect, it } from 'vitest';
import { readScenario } from './scenario-text.ts';

function problems(...lines: string[]): readonly string[] {
  const read = readScenario(lines.join('\n'), 'a.yaml');
  return 'problems' in read ? read.problems : [];
}

it('reads YAML and JSON, with every default filled in', () => {
  const yaml = readScenario(
    'agents: [{count: 2}]\napps:\n  - app: {id: /web, cmd: run}\n    start: 3',
    'a.yaml',
  );
  const json = '{"agents": [{"count": 2}], "apps": [{"app": {"id": "/web", "cmd": "run"}, "start": [3, 3]}]}';
  expect(yaml).toEqual(readScenario(json, 'a.json'));
  expect(yaml).toMatchObject({ scenario: { seed: 1, seconds: 600, faults: { lostUpdates: 0 } } });
});

it('reports each problem with its position', () => {
  expect(problems('agents: [{count: 2}', 'apps: []')[0]).toMatch(/^a\.yaml:\d+:\d+: /);
  expect(problems('agents:', '  - count: none', '  - cpu: 3', 'apps: {}')).toEqual([
    'a.yaml:2:12: agents.0.count must be a whole number',
    'a.yaml:3:5: agents.1 has unknown fields: cpu',
    'a.yaml:4:7: apps must be a list of apps',
  ]);
  expect(problems('agents: []', 'apps: [{app: {id: /a, cpus: -1}}]')).toEqual([
    'a.yaml:1:9: agents may not be empty',
    'a.yaml:2:29: apps.0.app.cpus must be at least 0.001',
  ]);
  expect(problems('')).toEqual(['a.yaml: it must be an object with agents and apps']);
  expect(problems('agents: [{}]', 'apps: [{app: {id: /a}, start: [5, 1]}]')).toEqual([
    'a.yaml:2:31: apps.0.start must have the smaller number first',
  ]);
  expect(problems('agents: [{}]', 'apps: [{app: {id: /a}}, {app: {id: /a}}]')).toEqual([
    'a.yaml:2:36: apps.1.app.id /a is used twice',
  ]);
  expect(problems('a: &x [*x]')[0]).toMatch(/^a\.yaml/);
});
