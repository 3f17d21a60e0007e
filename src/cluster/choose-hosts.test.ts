import { expect, test } from 'vitest';
import { UsageError } from '../errors/mesosup-error.ts';
import { chooseHosts, hostNamed } from './choose-hosts.ts';
import { clusterFrom } from './spec.ts';

const made = clusterFrom({ hosts: ['h1', 'h2', 'h3', 'h4'] }, '--hosts');
if (!made.ok) throw new TypeError('the cluster has errors');
const cluster = made.value;
const chosen = (choice: Parameters<typeof chooseHosts>[1]) => chooseHosts(cluster, choice).map((h) => h.name);

test('chooses all hosts, or those with one of the names and one of the roles, in the order of the spec', () => {
  expect(chosen({})).toEqual(['h1', 'h2', 'h3', 'h4']);
  expect(chosen({ names: ['h4', 'h2'] })).toEqual(['h2', 'h4']);
  expect(chosen({ roles: ['master'] })).toEqual(['h1', 'h2', 'h3']);
  expect(chosen({ names: ['h4', 'h2'], roles: ['agent', 'master'] })).toEqual(['h2', 'h4']);
  expect(chosen({ names: ['h4', 'h2'], roles: ['master'] })).toEqual(['h2']);
});

test('refuses an unknown host with the most similar name, and a choice without hosts', () => {
  expect(() => hostNamed(cluster, 'h22')).toThrow(UsageError);
  expect(() => chosen({ names: ['h1', 'h22'] })).toThrow('has no host "h22"; did you mean "h2"?');
  expect(() => chosen({ names: ['h4'], roles: ['master'] })).toThrow('no named host of');
  expect(hostNamed(cluster, 'h3').name).toBe('h3');
});
