import { describe, expect, it } from 'vitest';
import type { AgentInfo } from '../../mesos/types.ts';
import { parseAttributes, parseResources } from '../wire/resource-text.ts';
import { findIncompatibility } from './compatibility.ts';

const agent = (more: Partial<AgentInfo> & { has?: string; is?: string } = {}): AgentInfo => {
  const { has = 'cpus:4;ports:[1-9]', is = 'rack:a', ...rest } = more;
  return {
    hostname: 'h',
    port: 5051,
    resources: parseResources(has),
    attributes: parseAttributes(is),
    ...rest,
  };
};

const more = agent({ has: 'cpus:5;mem:1;ports:[1-20]', is: 'zone:z;rack:a' });

describe('the policy additive', () => {
  it('permits additions', () => {
    expect(findIncompatibility('additive', agent(), agent())).toBeUndefined();
    expect(findIncompatibility('additive', agent(), more)).toBeUndefined();
  });

  it.each([
    [{ hostname: 'i' }, 'Hostname changed from h to i'],
    [{ port: 5052 }, 'Port changed from 5051 to 5052'],
    [{ has: 'cpus:3.999;ports:[1-9]' }, "Value of scalar resource 'cpus' decreased from 4 to 3.999"],
    [{ has: 'ports:[1-9]' }, 'Resource not found: cpus:4'],
    [{ has: 'cpus:4' }, 'Resource not found: ports:[1-9]'],
    [
      { has: 'cpus:4;ports:[2-9]' },
      "Previous value of range resource 'ports' ([1-9]) not included in current [2-9]",
    ],
    [{ is: 'rack:b' }, "Value of text attribute 'rack' changed from a to b"],
    [{ is: 'rack:1' }, "Type of attribute 'rack' changed from TEXT to SCALAR"],
    [{ is: 'zone:z' }, "Couldn't find attribute rack:a"],
  ])('refuses %j', (change, reason) => {
    expect(findIncompatibility('additive', agent(), agent(change))).toBe(
      `Configuration change not permitted under \`additive\` policy: ${reason}`,
    );
  });
});

describe('the policy equal', () => {
  it('permits the same values in any order', () => {
    const reordered = agent({ has: 'ports:[1-9];cpus:4' });
    expect(findIncompatibility('equal', agent(), reordered)).toBeUndefined();
  });

  it.each([{ has: 'cpus:5;ports:[1-9]' }, { is: 'rack:a;zone:z' }, { is: 'rack:b' }, { port: 1 }])(
    'refuses %j, and shows both',
    (change) => {
      const reason = findIncompatibility('equal', agent(), agent(change));
      expect(reason).toContain('Old agent info:\n{"hostname":"h","port":5051');
      expect(reason).toContain('New agent info:\n');
    },
  );
});
