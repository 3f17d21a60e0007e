import { expect, test } from 'vitest';
import { parseSpec } from './spec.ts';
import { formatSpecError } from './spec-errors.ts';

const HOSTS = 'hosts: [{ name: a, roles: [master, scheduler, agent, lb] }]';

function complaints(flags: string, hosts = HOSTS): string[] {
  const result = parseSpec(`${hosts}\nlbFlags:\n${flags}`, 'c.yaml');
  return result.ok ? [] : result.errors.map(formatSpecError);
}

test('accepts the flags of the load balancer, and switches without a value', () => {
  expect(
    complaints(`  group: external
  http-port: 8081
  certificate-dir: /etc/mesosup/certificates
  credentials-file: /etc/mesosup/viewer
  share-hosts:
`),
  ).toEqual([]);
});

test('reports all invalid flags at once, with their places', () => {
  expect(
    complaints(`  grop: external
  http-port: 0
  certificate-dir: certificates
  token-file: token
  share-hosts: yes
  group:
  data-dir: /data
  url: http://h1:8080
  dns: here
  dns-domain: A B
  dns-ttl: 5s
  dns-forward: 10.0.0.2
`),
  ).toEqual([
    'c.yaml:3:3: lbFlags.grop: unknown flag; did you mean "group"?',
    'c.yaml:4:14: lbFlags.http-port: expected a whole number from 1 to 65535, not "0"',
    'c.yaml:5:20: lbFlags.certificate-dir: expected an absolute path of letters, digits, and ._-, not "certificates"',
    'c.yaml:6:15: lbFlags.token-file: expected the absolute path of a file on the hosts, not "token"',
    'c.yaml:7:16: lbFlags.share-hosts: expected an empty value (it is a switch), not "yes"',
    'c.yaml:8:3: lbFlags.group: expected a value (NAME,NAME), not ""',
    "c.yaml:9:3: lbFlags.data-dir: can't be set here: mesosup sets it, and the service can write to no other directory",
    'c.yaml:10:3: lbFlags.url: can\'t be set here: mesosup sets it to the hosts with the role "scheduler"',
    'c.yaml:11:8: lbFlags.dns: expected IP:PORT, such as 127.0.0.1:9101, not "here"',
    'c.yaml:12:15: lbFlags.dns-domain: expected small letters, digits, hyphens and dots, not "A B"',
    'c.yaml:13:12: lbFlags.dns-ttl: expected a whole number from 0 to 86400, not "5s"',
    'c.yaml:14:16: lbFlags.dns-forward: expected IP:PORT, such as 127.0.0.1:9101, not "10.0.0.2"',
  ]);
});

test('refuses a port of another role on the same host, flags without the role, and the role without a scheduler', () => {
  expect(complaints('  http-port: 8080\n')).toEqual([
    'c.yaml:3:14: lbFlags.http-port: 8080 is the port of scheduler and of the load balancer (http-port)',
  ]);
  const apart = 'hosts: [{ name: a, roles: [master, scheduler, agent] }, { name: b, roles: [lb] }]';
  expect(complaints('  http-port: 8080\n', apart)).toEqual([]);
  const scheduler80 = parseSpec(`ports: { scheduler: 80 }\n${HOSTS}`, 'c.yaml');
  expect(scheduler80.ok ? [] : scheduler80.errors.map(formatSpecError)).toEqual([
    'c.yaml:1:21: ports.scheduler: 80 is the port of scheduler and of the load balancer (http-port)',
  ]);
  expect(complaints('  group: x\n', 'hosts: [a]')).toEqual([
    'c.yaml:2:1: lbFlags: no host has the role "lb": give it to a host, or remove this key',
  ]);
  expect(complaints('  group: x\n', 'hosts: [{ name: a, roles: [master, agent, lb] }]')).toEqual([
    'c.yaml:1:1: hosts: the role "lb" needs a scheduler: give a host the role "scheduler"',
  ]);
});
