import { describe, expect, it } from 'vitest';
import { appSchema } from '../../domain/app-schema.ts';
import { assignServicePorts } from './service-ports.ts';

const settings = { localPortMin: 100, localPortMax: 102 };

function inUse(...ports: number[]) {
  return { settings, isTaken: (port: number) => ports.includes(port) };
}

function hosted(...ports: number[]) {
  return appSchema.parse({ id: '/a', cmd: 'true', portDefinitions: ports.map((port) => ({ port })) });
}

function mapped(...servicePorts: number[]) {
  const portMappings = servicePorts.map((servicePort) => ({ containerPort: 80, servicePort }));
  const container = { type: 'DOCKER', docker: { image: 'x' }, portMappings };
  return appSchema.parse({ id: '/a', networks: [{ mode: 'container/bridge' }], container });
}

const portsOf = (app: ReturnType<typeof assignServicePorts>) =>
  app?.container?.portMappings?.map(({ servicePort }) => servicePort) ??
  app?.portDefinitions.map(({ port }) => port);

describe('service ports', () => {
  it('are searched from the seed on, around the end of the range', () => {
    expect(portsOf(assignServicePorts(hosted(0, 0), undefined, inUse(), 0.9))).toEqual([102, 100]);
    expect(portsOf(assignServicePorts(mapped(0, 0), undefined, inUse(), 0.9))).toEqual([102, 100]);
  });

  it('are never a port in use or a port that the app names', () => {
    expect(portsOf(assignServicePorts(mapped(0, 101), undefined, inUse(100), 0))).toEqual([102, 101]);
  });

  it('are kept from the definition before, unless the network or the port itself is another', () => {
    expect(portsOf(assignServicePorts(mapped(0, 0), mapped(102), inUse(102), 0))).toEqual([102, 100]);
    expect(portsOf(assignServicePorts(mapped(0), hosted(102), inUse(102), 0))).toEqual([100]);
    expect(portsOf(assignServicePorts(mapped(0, 102), mapped(102), inUse(102), 0))).toEqual([100, 102]);
  });

  it('are undefined if the range has none left', () => {
    expect(assignServicePorts(hosted(0), undefined, inUse(100, 101, 102), 0)).toBeUndefined();
    expect(assignServicePorts(mapped(0, 0, 0, 0), undefined, inUse(), 0.5)).toBeUndefined();
  });

  it('are not needed by an app in a network of its own without mappings', () => {
    const { container, ...rest } = mapped();
    const app = { ...rest, container: { ...container, portMappings: undefined } } as ReturnType<
      typeof mapped
    >;
    expect(assignServicePorts(app, undefined, inUse(), 0)).toEqual(app);
  });
});
