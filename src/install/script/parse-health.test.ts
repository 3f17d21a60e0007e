import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseAgent, parseMaster, parseScheduler, parseZooKeeper } from './parse-health.ts';

const answer = (body: unknown, status = 200) =>
  `HTTP/1.1 ${status} Whatever\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(body)}`;
const refused =
  'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="mesos-master-readonly"\r\n\r\n401 Unauthorized.';

test('parses ZooKeeper standalone, with a quorum, without one, and without an answer', () => {
  const srvr =
    'Zookeeper version: 3.8.0--1, built on 2022\nLatency min/avg/max: 0/0/0\nMode: follower\nNode count: 5\n';
  expect(parseZooKeeper(srvr)).toEqual({ answers: true, mode: 'follower', version: '3.8.0' });
  const waiting = 'This ZooKeeper instance is not currently serving requests\n';
  expect(parseZooKeeper(waiting)).toEqual({ answers: true, mode: '', version: '' });
  expect(parseZooKeeper('')).toEqual({ answers: false, mode: '', version: '' });
});

test('parses the metrics of a real master', () => {
  const fixture = (name: string) => readFileSync(`test/fixtures/mesos/${name}`, 'utf8');
  const http = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const health = parseMaster(
    http(fixture('master-metrics-snapshot.json')),
    http(fixture('master-version.json')),
  );
  expect(health).toMatchObject({
    answers: true,
    elected: true,
    version: '1.11.0',
    agentsConnected: 1,
    problem: '',
  });
});

test('parses the version of a master that refuses the credentials', () => {
  expect(parseMaster(refused, answer({ version: '1.11.0' }))).toMatchObject({
    answers: true,
    elected: false,
    version: '1.11.0',
    problem: "the master refused the operator's credentials",
  });
  expect(parseMaster('', '')).toMatchObject({ answers: false, problem: '' });
  expect(parseMaster(answer('no', 503), '').problem).toContain('the master answered 503');
});

test('counts the tasks of an agent that have not ended, if they are known', () => {
  const metrics = {
    'slave/registered': 1,
    'slave/tasks_running': 2,
    'slave/tasks_staging': 1,
    'slave/tasks_finished': 9,
    'slave/executors_running': 1,
    'slave/executors_terminating': 1,
    'slave/executors_terminated': 7,
  };
  const id = '/var/lib/mesos/meta/slaves/abc-S1\n';
  expect(parseAgent(answer(metrics), answer({ version: '1.11.0' }), id)).toEqual({
    answers: true,
    registered: true,
    version: '1.11.0',
    id: 'abc-S1',
    tasks: 3,
    executors: 2,
    problem: '',
  });
  expect(parseAgent(refused, '', '')).toMatchObject({ answers: true, id: '', tasks: null });
});

test('parses the leader of the schedulers', () => {
  const info = { version: '0.1.0', leader: 'h1:8080', elected: true, connected: true };
  expect(parseScheduler(answer(info))).toMatchObject({ answers: true, leads: true, leader: 'h1:8080' });
  expect(parseScheduler('')).toMatchObject({ answers: false, leads: false, leader: '' });
});

test('a request without an answer has its reason and its duration', () => {
  expect(parseZooKeeper('\0asked 1 3')).toMatchObject({ answers: false, silence: 'refused', tookMs: 3 });
  expect(parseAgent('\0asked 124 10004', '\0asked 0 9', '')).toMatchObject({
    answers: false,
    silence: 'timeout',
    tookMs: 10_004,
  });
  const slow = parseScheduler(`${answer({ version: '0.1.0', elected: true })}\0asked 0 4210`);
  expect(slow).toMatchObject({ answers: true, leads: true, tookMs: 4210 });
  expect(slow.silence).toBeUndefined();
});
