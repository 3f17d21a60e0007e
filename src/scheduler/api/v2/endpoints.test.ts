import { expect, it } from 'vitest';
import { call, get, post, server } from '../../../../test/scheduler/api-server.ts';

const WEB = {
  id: '/shop/web',
  cmd: 'serve',
  cpus: 0.1,
  mem: 16,
  labels: { HAPROXY_0_VHOST: 'shop.example' },
  portDefinitions: [{ port: 10_001, name: 'http' }, { port: 10_002 }],
  healthChecks: [{ protocol: 'MESOS_HTTP', path: '/', portIndex: 1 }],
};

it('lists labels, ports and the addresses of tasks with their state', async () => {
  const one = server();
  await post(one, '/v2/apps', WEB);
  await one.run();
  const read = async () => (await get(one, '/v2/endpoints')).json();
  const [task] = (await get(one, '/v2/apps/shop/web/tasks')).json().tasks;
  expect(await read()).toEqual({
    apps: [
      {
        id: '/shop/web',
        run: expect.any(Number),
        labels: { HAPROXY_0_VHOST: 'shop.example' },
        ports: [
          { servicePort: 10_001, protocol: 'tcp', name: 'http' },
          { servicePort: 10_002, protocol: 'tcp', checkProtocol: 'MESOS_HTTP' },
        ],
        tasks: [
          {
            id: task.id,
            host: 'a.example',
            state: 'waiting',
            // Its check has no result yet.
            unchecked: true,
            addresses: ['a.example:31000', 'a.example:31001'],
          },
        ],
      },
    ],
    frameworkId: expect.any(String),
    connected: true,
    unanswered: 0,
  });
  one.mesos.advance(task.id, 'TASK_RUNNING', { healthy: true });
  for (const event of one.mesos.inbox.splice(0)) await one.runner.submit({ type: 'mesos', event });
  expect((await read()).apps[0].tasks[0].state).toBe('ready');
  await call(one, 'PUT', '/v2/apps//shop/web', { instances: 0 });
  expect((await read()).apps[0].tasks).toEqual([
    { id: task.id, host: 'a.example', state: 'ending', addresses: ['a.example:31000', 'a.example:31001'] },
  ]);
});

it('names the address of each present port of a task that was launched with its ports in another order', async () => {
  const one = server();
  await post(one, '/v2/apps', WEB);
  await one.run();
  const read = async () => (await get(one, '/v2/endpoints')).json().apps[0].tasks;
  const [{ id, addresses }] = await read();
  expect(addresses).toEqual(['a.example:31000', 'a.example:31001']);
  const [first, second] = WEB.portDefinitions;
  const portDefinitions = [{ port: 10_003 }, second, first];
  await call(one, 'PUT', '/v2/apps//shop/web?force=true', { portDefinitions });
  expect((await read()).find((task: { id: string }) => task.id === id).addresses).toEqual([
    null,
    'a.example:31001',
    'a.example:31000',
  ]);
});
