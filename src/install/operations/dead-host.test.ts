import { expect, test } from 'vitest';
import { parseSpec } from '../../cluster/spec.ts';
import { agentOf } from './dead-host.ts';

const agent = (hostname: string) => ({ id: `of-${hostname}`, hostname, duty: 'active' as const });

function found(fields: string, agents: readonly string[]): string | undefined {
  const spec = `hosts:\n  - { name: a, roles: [ master, scheduler ] }\n  - { name: b, roles: [ agent ]${fields} }\n`;
  const read = parseSpec(spec, 'cluster.yaml');
  const host = read.ok && read.value.hosts[1];
  if (!read.ok || !host) throw new Error('the spec is wrong');
  return agentOf(read.value, host, new Map(), agents.map(agent))?.hostname;
}

test('finds the agent of a dead host by its name, its address, or as the only one without a host', () => {
  expect(found('', ['b', 'x'])).toBe('b');
  expect(found(', hostname: h', ['h', 'x'])).toBe('h');
  expect(found(', privateAddress: 10.0.0.2', ['10.0.0.2', 'x'])).toBe('10.0.0.2');
  expect(found('', ['10.0.0.2'])).toBe('10.0.0.2');
  expect(found('', ['10.0.0.2', '10.0.0.3'])).toBe(undefined);
});

test('takes no agent of others for that of a host with a known name or address', () => {
  expect(found(', hostname: h', ['x'])).toBe(undefined);
  expect(found(', privateAddress: 10.0.0.2', ['10.0.0.9'])).toBe(undefined);
});
