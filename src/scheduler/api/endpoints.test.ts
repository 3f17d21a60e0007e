import { describe, expect, it } from 'vitest';
import { call, get, type Server, server } from '../../../test/scheduler/api-server.ts';

const APP = {
  id: '/web',
  cpus: 0.1,
  mem: 16,
  instances: 1,
  networks: [{ mode: 'container', name: 'n' }],
};

function withPorts(...portMappings: unknown[]) {
  return { ...APP, container: { type: 'DOCKER', docker: { image: 'x' }, portMappings } };
}

/** Reports addresses of the newest task, in order of the networks. */
async function address(one: Server, ...addresses: string[]): Promise<void> {
  const id = [...one.mesos.tasks.keys()].at(-1) ?? '';
  const network_infos = [{ name: 'n', ip_addresses: addresses.map((ip_address) => ({ ip_address })) }];
  one.mesos.advance(id, 'TASK_RUNNING', { container_status: { network_infos } });
  for (const event of one.mesos.inbox.splice(0)) await one.runner.submit({ type: 'mesos', event });
}

async function running(app: unknown): Promise<Server> {
  const one = server();
  const { statusCode } = await call(one, 'POST', '/v2/apps', app);
  expect(statusCode).toBe(201);
  await one.run();
  return one;
}

const text = async (one: Server, path: string) => (await get(one, path, 'text/plain')).body;

describe('a container with an address of its own', () => {
  it('is listed with its address and port in all forms', async () => {
    const one = await running(withPorts({ containerPort: 80, servicePort: 9000 }));
    expect(await text(one, '/v2/tasks')).toBe('web\t9000\t\n');
    await address(one, '10.0.0.7', '10.0.1.7');
    expect(await text(one, '/v2/tasks')).toBe('web\t9000\t10.0.0.7:80\t\n');
    expect(await text(one, '/v2/apps/web/tasks')).toBe('web\t9000\t10.0.0.7:80\t\n');
    expect(await text(one, '/v2/apps')).toBe('web\t9000\t10.0.0.7:80\t\n');
    expect(await text(one, '/v1/endpoints')).toBe('web 9000 10.0.0.7:80 \n');
    const { instances, ports } = (await get(one, '/v1/endpoints/web', 'application/json')).json();
    expect(ports).toEqual([9000]);
    expect(instances).toMatchObject([{ host: '10.0.0.7', ports: [80] }]);
    const { tasks } = (await get(one, '/v2/tasks')).json();
    expect(tasks).toMatchObject([
      {
        ports: [],
        servicePorts: [9000],
        ipAddresses: [
          { ipAddress: '10.0.0.7', protocol: 'IPv4' },
          { ipAddress: '10.0.1.7', protocol: 'IPv4' },
        ],
      },
    ]);
  });

  it('is listed for the networks in containerNetworks only, but always with published ports', async () => {
    const one = await running(
      withPorts(
        { containerPort: 80, servicePort: 9000 },
        { containerPort: 81, hostPort: 0, servicePort: 9001 },
      ),
    );
    await address(one, '10.0.0.7');
    const [{ host, ports }] = (await get(one, '/v2/tasks')).json().tasks;
    const published = `web\t9001\t${host}:${ports[0]}\t\n`;
    expect(await text(one, '/v2/tasks?containerNetworks=m')).toBe(`web\t9000\t\n${published}`);
    for (const names of ['n', 'm,n', '*']) {
      expect(await text(one, `/v2/tasks?containerNetworks=${names}`)).toBe(
        `web\t9000\t10.0.0.7:80\t\n${published}`,
      );
    }
    expect((await get(one, '/v1/endpoints/web', 'application/json')).json().instances).toMatchObject([
      { host: '10.0.0.7', ports: [80, 81] },
    ]);
  });

  it('is listed with the ports of its own definition during an update', async () => {
    const one = await running(withPorts({ containerPort: 80, servicePort: 9000 }));
    await address(one, '10.0.0.7');
    const changed = withPorts({ containerPort: 8080, servicePort: 9000 });
    expect((await call(one, 'PUT', '/v2/apps/web', changed)).statusCode).toBe(200);
    expect(await text(one, '/v2/tasks')).toBe('web\t9000\t10.0.0.7:80\t\n');
  });

  it('gets service ports that no other app has', async () => {
    const one = await running(withPorts({ containerPort: 80 }));
    await call(one, 'POST', '/v2/apps', { ...withPorts({ containerPort: 80 }), id: '/other' });
    const { apps } = (await get(one, '/v2/apps')).json();
    const ports = apps.map(
      ({ container }: ReturnType<typeof withPorts>) =>
        (container.portMappings[0] as { servicePort: number }).servicePort,
    );
    expect(new Set(ports).size).toBe(2);
    expect(ports).not.toContain(0);
  });
});

it('a task that a new leader has not checked yet stays listed until a check fails', async () => {
  const one = await running({
    id: '/web',
    cpus: 0.1,
    mem: 16,
    instances: 1,
    cmd: 'x',
    portDefinitions: [{ port: 9000 }],
    healthChecks: [{ protocol: 'TCP', portIndex: 0 }],
  });
  const [id = ''] = one.mesos.tasks.keys();
  const checked = (healthy: boolean) => one.runner.submit({ type: 'probed', taskId: id, probe: 0, healthy });
  expect(await text(one, '/v1/endpoints')).toBe('web 9000 \n');
  await one.runner.submit({ type: 'started', release: '1' });
  expect(await text(one, '/v1/endpoints')).toMatch(/^web 9000 \S+:\d+ \n$/);
  expect(await text(one, '/v2/tasks')).toMatch(/^web\t9000\t\S+:\d+\t\n$/);
  await checked(false);
  expect(await text(one, '/v1/endpoints')).toBe('web 9000 \n');
  await checked(true);
  expect(await text(one, '/v1/endpoints')).toMatch(/^web 9000 \S+:\d+ \n$/);
});
