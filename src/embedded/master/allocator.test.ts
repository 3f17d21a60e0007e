import { describe, expect, it } from 'vitest';
import { amountsOf } from '../../mesos/resources.ts';
import { parseResources } from '../wire/resource-text.ts';
import { type AllocatableFramework, allocate, type Refusal } from './allocator.ts';

const NOW = 1000;
const amounts = (text: string) => amountsOf(parseResources(text));
const agent = (id: string, text: string) => ({ id, available: amounts(text) });
const TOTAL = amounts('cpus:16;mem:16384').scalars;

function framework(
  id: string,
  more: { roles?: string[]; held?: Record<string, string>; refusals?: Record<string, Refusal[]> } = {},
): AllocatableFramework {
  return {
    id,
    roles: more.roles ?? ['*'],
    held: new Map(Object.entries(more.held ?? {}).map(([role, text]) => [role, amounts(text).scalars])),
    refusals: new Map(Object.entries(more.refusals ?? {})),
  };
}

describe('allocate', () => {
  it('offers all resources of an agent to one framework', () => {
    const grants = allocate([agent('a', 'cpus:8;mem:8192')], [framework('f'), framework('g')], TOTAL, NOW);
    expect(grants).toEqual([
      { frameworkId: 'f', agentId: 'a', role: '*', amounts: amounts('cpus:8;mem:8192') },
    ]);
  });

  it('shares agents among frameworks of equal share', () => {
    const agents = [agent('a', 'cpus:8;mem:8192'), agent('b', 'cpus:8;mem:8192')];
    const grants = allocate(agents, [framework('f'), framework('g')], TOTAL, NOW);
    expect(grants.map((g) => g.frameworkId).sort()).toEqual(['f', 'g']);
  });

  it('prefers the framework with the smaller dominant share of any resource', () => {
    const frameworks = [
      framework('much-mem', { held: { '*': 'cpus:1;mem:8192' } }),
      framework('some-cpus', { held: { '*': 'cpus:4;mem:32' } }),
    ];
    const [grant] = allocate([agent('a', 'cpus:4;mem:4096')], frameworks, TOTAL, NOW);
    expect(grant?.frameworkId).toBe('some-cpus');
  });

  it('compares shares by role first', () => {
    const frameworks = [
      framework('one', { roles: ['dev'], held: { dev: 'cpus:1' } }),
      framework('two', { roles: ['dev'], held: { dev: 'cpus:5' } }),
      framework('three', { roles: ['prod'], held: { prod: 'cpus:4' } }),
    ];
    const [grant] = allocate([agent('a', 'cpus:4')], frameworks, TOTAL, NOW);
    expect(grant).toMatchObject({ frameworkId: 'three', role: 'prod' });
  });

  it('offers nothing below cpus:0.01 and mem:32, and something with either', () => {
    const offered = (text: string) => allocate([agent('a', text)], [framework('f')], TOTAL, NOW).length;
    expect(offered('cpus:0.009;mem:31.999;ports:[1-9]')).toBe(0);
    expect(offered('cpus:0.01')).toBe(1);
    expect(offered('mem:32')).toBe(1);
  });

  it('skips a framework that refused as much on the agent for the role, until the refusal ends', () => {
    const refused = (text: string, until: number, role = '*') =>
      framework('f', { refusals: { a: [{ role, amounts: amounts(text), until }] } });
    const granted = (f: AllocatableFramework) => allocate([agent('a', 'cpus:4')], [f], TOTAL, NOW).length;
    expect(granted(refused('cpus:4', NOW + 1))).toBe(0);
    expect(granted(refused('cpus:4', NOW))).toBe(1);
    expect(granted(refused('cpus:3.999', NOW + 1))).toBe(1);
    expect(granted(refused('cpus:4', NOW + 1, 'dev'))).toBe(1);
    const other = framework('g');
    expect(allocate([agent('a', 'cpus:4')], [refused('cpus:4', NOW + 1), other], TOTAL, NOW)).toMatchObject([
      { frameworkId: 'g' },
    ]);
  });

  it('offers nothing if no role wants offers', () => {
    expect(allocate([agent('a', 'cpus:4')], [framework('f', { roles: [] })], TOTAL, NOW)).toEqual([]);
  });
});
