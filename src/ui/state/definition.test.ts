import { expect, it } from 'vitest';
import { definitionOf, formFieldOf, formOf, newDefinition, withForm } from './definition.ts';

it('leaves out of an answer what is no part of the definition or not in use', () => {
  const app = {
    id: '/a',
    instances: 0,
    cmd: 'x',
    args: null,
    env: {},
    upgradeStrategy: { minimumHealthCapacity: 0 },
    version: 'v',
    tasksRunning: 1,
    labels: { a: '' },
  };
  expect(definitionOf(app)).toEqual({
    id: '/a',
    instances: 0,
    cmd: 'x',
    upgradeStrategy: { minimumHealthCapacity: 0 },
    labels: { a: '' },
  });
});

it('builds a definition from the fields of the form', () => {
  const made = withForm(newDefinition('/prod'), {
    id: '/prod/web',
    image: 'nginx:1',
    ports: '80, 53/udp',
    env: 'A=b=c\nEMPTY',
    check: 'HTTP',
    checkTarget: '/health',
  });
  expect(made).toEqual({
    id: '/prod/web',
    instances: 1,
    cpus: 0.1,
    mem: 64,
    container: {
      docker: { image: 'nginx:1' },
      portMappings: [{ containerPort: 80 }, { containerPort: 53, protocol: 'udp' }],
    },
    networks: [{ mode: 'container/bridge' }],
    env: { A: 'b=c', EMPTY: '' },
    healthChecks: [{ protocol: 'HTTP', path: '/health' }],
  });
  expect(withForm(made, formOf(made))).toEqual(made);
});

it('keeps what the form does not show', () => {
  const before = {
    id: '/a',
    container: {
      type: 'DOCKER',
      docker: { image: 'a', privileged: true },
      portMappings: [{ containerPort: 1, hostPort: 31000 }],
    },
    networks: [{ mode: 'container/bridge' }],
    healthChecks: [{ protocol: 'HTTP', path: '/a', intervalSeconds: 5 }],
    env: { SECRET: { secret: 's' }, A: 'b' },
  };
  expect(withForm(before, { image: 'b', ports: '2', checkTarget: '/b', env: 'A=c' })).toEqual({
    id: '/a',
    container: {
      type: 'DOCKER',
      docker: { image: 'b', privileged: true },
      portMappings: [{ containerPort: 2, hostPort: 31000 }],
    },
    networks: [{ mode: 'container/bridge' }],
    healthChecks: [{ protocol: 'HTTP', path: '/b', intervalSeconds: 5 }],
    env: { SECRET: { secret: 's' }, A: 'c' },
  });
});

it('removes what is emptied', () => {
  const before = { id: '/a', cmd: 'x', container: { docker: { image: 'a' } }, labels: { a: 'b' } };
  expect(withForm(before, { image: '', cmd: '', labels: '', check: 'none' })).toEqual({ id: '/a' });
  expect(withForm({ cpus: 1 }, { cpus: undefined })).toEqual({});
});

it('shows checks that the form does not know as other, and does not change them', () => {
  const before = { healthChecks: [{ protocol: 'HTTP' }, { protocol: 'TCP' }] };
  expect(formOf(before).check).toBe('other');
  expect(withForm(before, { checkTarget: 'x' })).toEqual(before);
});

it('finds the field of the form for a field of the definition', () => {
  expect(formFieldOf('container.portMappings[0].containerPort')).toBe('ports');
  expect([formFieldOf('environment'), formFieldOf('constraints[0]')]).toEqual([undefined, undefined]);
});
