import { expect, test } from 'vitest';
import { columns } from '../text/columns.ts';
import { packageClosure } from './image.ts';
import { parseEndpoints } from './scheduler-api.ts';
import { nextCommands, summarize } from './show.ts';

test('puts Redis and its libraries into the image, but no system packages', () => {
  const depends = `redis-server
  PreDepends: init-system-helpers
 |Depends: lsb-base
  Depends: redis-tools
redis-tools
  Depends: adduser
  Depends: libc6
  Depends: libssl3
libssl3
  Depends: libc6
  Depends: debconf
libc6
  Depends: libgcc-s1
libgcc-s1
  Depends: gcc-12-base
adduser
  Depends: libnotwanted
`;
  expect(packageClosure('redis-server', depends)).toEqual([
    'libc6',
    'libgcc-s1',
    'libssl3',
    'redis-server',
    'redis-tools',
  ]);
});

test('reads the endpoints of the requested app only', () => {
  const text = 'multidis2 10001 a:1 \nmultidis 10445 172.17.0.1:31001 [::1]:31000 \n';
  expect(parseEndpoints(text, 'multidis')).toEqual([
    { host: '172.17.0.1', port: 31001 },
    { host: '[::1]', port: 31000 },
  ]);
  expect(parseEndpoints(text, 'other')).toEqual([]);
  expect(parseEndpoints('multidis 10445 \n', 'multidis')).toEqual([]);
});

test('splits the time of the summary into Docker and mesosup', () => {
  const result = {
    answer: '"7"',
    endpoints: [],
    endpoint: { host: 'h', port: 1 },
    answeredAt: 0,
    wallMs: 2310,
    dockerMs: 1490,
  };
  expect(summarize(result)).toBe(
    'GET x answered "7" after 2.31 s: 1.49 s in Docker\'s create and start calls, 0.82 s in mesosup',
  );
});

test('uses the actual ports in the suggested commands', () => {
  const text = nextCommands(
    {
      cluster: 'c',
      dir: '/d',
      masterUrl: 'http://127.0.0.1:5051',
      schedulerUrl: 'http://127.0.0.1:8081',
      schedulersFile: '/d/schedulers.json',
      executor: '/e/docker',
      hostname: '172.17.0.1',
      programs: [],
    },
    'some/redis',
    { host: '172.17.0.1', port: 31000 },
  );
  expect(text).toContain('http GET http://localhost:8081/v1/endpoints');
  expect(text).toContain('docker run -i -t some/redis redis-cli -h 172.17.0.1 -p 31000');
  expect(text).toContain('executor=/e/docker');
  expect(text).toContain('mesosup app exec -it multidis -- redis-cli\n');
});

test('makes columns as wide as their widest cell', () => {
  expect(columns(['A', 'B'], [['long', 'x'], ['s']])).toBe('A     B\nlong  x\ns');
});
