import { expect, test } from 'vitest';
import { parseSpec } from './spec.ts';
import type { SpecInput } from './spec-schema.ts';
import { specText } from './spec-text.ts';

const full: SpecInput = {
  name: 'prod',
  mesos: { source: 'package', from: 'mesos: #1.deb', sha256: '0'.repeat(64) },
  docker: { source: 'docker-ce', version: '1.10' },
  ssh: { user: 'admin', port: '2222' },
  hosts: [
    { name: 'a', roles: ['master', 'scheduler'] },
    { name: 'b', roles: ['agent'], attributes: { rack: '010', note: ' - "x": {' } },
  ],
  masterFlags: { 'no-logger': '' },
  agentFlags: { gc_delay: '2days' },
  schedulerFlags: { mesos_role: '*' },
  ports: { master: '6000' },
};

test.each([
  ['the least', { hosts: ['a'] }],
  ['everything', full],
] as [string, SpecInput][])('%s reads back as the spec that it was made from', (_what, spec) => {
  const text = specText(spec, 'file:///x.json');
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=file:///x.json');
  expect(parseSpec(text, 'x')).toEqual(parseSpec(JSON.stringify(spec), 'x'));
  expect(parseSpec(text, 'x').ok).toBe(true);
});

test('every example in its comments is valid', () => {
  const text = specText({ hosts: ['b'] }, 'x');
  const uncommented = text.replaceAll(/^# (\w+: \{.*\})$/gm, '$1').replaceAll(/^ {2}# (version)/gm, '  $1');
  expect(uncommented).not.toBe(text);
  expect(parseSpec(uncommented, 'x')).toMatchObject({ ok: true });
  const host = /A host can have more keys: (.*)/.exec(text)?.[1] ?? '';
  expect(parseSpec(`hosts: [${host}]`, 'x')).toMatchObject({ ok: true });
});
