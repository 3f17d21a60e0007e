import { describe, expect, test } from 'vitest';
import { parseSpec } from './spec.ts';
import { formatSpecError } from './spec-errors.ts';

function complaints(flags: string): string[] {
  const result = parseSpec(`hosts: [h1]\nschedulerFlags:\n${flags}`, 'c.yaml');
  return result.ok ? [] : result.errors.map(formatSpecError);
}

test('accepts valid values, switches without a value, and empty values that omit flags of mesosup', () => {
  expect(
    complaints(`  failover_timeout: 604800
  logging_level: DEBUG
  access_control_allow_origin: "https://ui.example, http://h:1"
  https_port: 8443
  ssl_cert_file: /etc/cert.pem
  framework_name: 'a "b" %c $d'
  endpoints_port_suffix:
  http_credentials_file:
  data_dir:
  zk:
`),
  ).toEqual([]);
});

test('reports all invalid flags at once, with their places, together with errors of other keys', () => {
  const result = parseSpec(
    `hosts: [h1]
colour: 1
schedulerFlags:
  failover_timeot: 3
  failover_timeout: soon
  https_port: 65536
  logging_level: loud
  webui_url:
  endpoints_port_suffix: true
  access_control_allow_origin: ui.example
  zk_max_versions: 5
`,
    'c.yaml',
  );
  expect(result.ok ? [] : result.errors.map(formatSpecError)).toEqual([
    'c.yaml:2:1: colour: unknown key; the keys here are name, mesos, docker, ssh, hosts, masterFlags, agentFlags, schedulerFlags, lbFlags, monitoring, ports, zookeeper, tls',
    'c.yaml:4:3: schedulerFlags.failover_timeot: unknown flag; did you mean "failover_timeout"?',
    'c.yaml:5:21: schedulerFlags.failover_timeout: expected a whole number from 1 to 315360000, not "soon"',
    'c.yaml:6:15: schedulerFlags.https_port: expected a whole number from 0 to 65535, not "65536"',
    'c.yaml:7:18: schedulerFlags.logging_level: expected one of trace, debug, info, warn, error, fatal, not "loud"',
    'c.yaml:8:3: schedulerFlags.webui_url: expected a value (URL), not ""',
    'c.yaml:9:26: schedulerFlags.endpoints_port_suffix: expected an empty value (it is a switch), not "true"',
    'c.yaml:10:32: schedulerFlags.access_control_allow_origin: expected * or origins such as https://ui.example:8443, separated by commas, not "ui.example"',
    "c.yaml:11:3: schedulerFlags.zk_max_versions: is a flag of Marathon that this scheduler doesn't have: the store does not need it",
  ]);
});

describe('refuses flags that would disconnect the scheduler from the cluster', () => {
  test.each([
    ['master: h9:5050', 'mesosup sets it to the hosts with the role "master"'],
    ['master:', 'mesosup sets it to the hosts with the role "master"'],
    ['http_port: 9000', 'use ports.scheduler instead'],
    ['disable_http:', 'over HTTP'],
    ['help:', 'exit instead of starting'],
    ['check:', 'exit instead of starting'],
    ['zk: zk://h9/x', 'the role "zookeeper"'],
    ['data_dir: /srv', 'can write to no other directory'],
    ['hostname: h1', "use the host's own key hostname"],
    ['http_credentials_file: /etc/x', 'uses the credentials in it'],
    ['mesos_authentication_principal: x', 'the masters know'],
  ])('%s', (flag, reason) => {
    const [first, ...more] = complaints(`  ${flag}\n`);
    expect(first).toContain(`c.yaml:3:3: schedulerFlags.${flag.split(':')[0]}: can't be set here: `);
    expect(first).toContain(reason);
    expect(more).toEqual([]);
  });
});
