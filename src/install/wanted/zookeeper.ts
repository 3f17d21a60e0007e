/** ZooKeeper's server, for the masters' and the schedulers' elections. */

import { ZOO_CFG, ZOOKEEPER_PEER_PORTS } from '../topology.ts';
import { directory, file, service, unitPath } from './build.ts';
import { type Brought, type Context, has, type Part } from './context.ts';

export const ZOOKEEPER_DATA = '/var/lib/zookeeper';
/** The server's id in the ensemble. */
const MYID = `${ZOOKEEPER_DATA}/myid`;

export const ZOOKEEPER_SERVICE = 'zookeeper';

/** The package without the server's start script `zookeeperd`, which would start it before it is configured. */
export const ZOOKEEPER_PACKAGE = 'zookeeper';

export const ZOOKEEPER_BROUGHT: readonly Brought[] = [
  {
    packages: [ZOOKEEPER_PACKAGE, 'zookeeperd'],
    service: ZOOKEEPER_SERVICE,
    data: [ZOOKEEPER_DATA, '/var/log/zookeeper'],
  },
];

export function zookeeper(context: Context): Part {
  if (!has(context, 'zookeeper')) return {};
  const { cluster, host, render, topology } = context;
  const member = topology.zookeepers.find((one) => one.host === host.name);
  const name = { kind: 'package' as const, name: ZOOKEEPER_PACKAGE };
  const unit = context.own.init === 'upstart' ? 'upstart/zookeeper.conf' : 'systemd/zookeeper.service';
  const inputs = [
    file(
      ZOO_CFG,
      render('config/zoo.cfg', {
        dataDirectory: ZOOKEEPER_DATA,
        port: cluster.ports.zookeeper,
        // A single server has no ensemble.
        servers: topology.zookeepers.length > 1 ? topology.zookeepers : [],
        peerPorts: ZOOKEEPER_PEER_PORTS,
      }),
      { note: 'the ensemble' },
    ),
    file(MYID, render('config/myid', { id: member?.id }), {
      note: "the server's id in the ensemble",
    }),
    file(unitPath(context, ZOOKEEPER_SERVICE), render(unit, { config: ZOO_CFG, id: member?.id, myid: MYID })),
  ];
  return {
    packages: [name],
    configuration: [
      directory('/etc/mesosup/zookeeper'),
      directory(ZOOKEEPER_DATA, { owner: 'zookeeper', mode: '0750' }),
      ...inputs,
    ],
    services: [service(context, ZOOKEEPER_SERVICE, [name, ...inputs])],
  };
}
