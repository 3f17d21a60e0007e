/** ZooKeeper's server, for the masters' and the schedulers' elections. */

import type { Facts } from '../facts.ts';
import { installedPackage } from '../package-state.ts';
import type { PackageResource } from '../resources/package.ts';
import { ZOO_CFG, ZOOKEEPER_PEER_PORTS } from '../topology.ts';
import { directory, file, service, unitPath } from './build.ts';
import { type Brought, type Context, has, type Part } from './context.ts';

export const ZOOKEEPER_DATA = '/var/lib/zookeeper';
/** The server's id in the ensemble. */
const MYID = `${ZOOKEEPER_DATA}/myid`;

export const ZOOKEEPER_SERVICE = 'zookeeper';

/** The package without the server's start script `zookeeperd`, which would start it before it is configured. */
export const ZOOKEEPER_PACKAGE = 'zookeeper';

/**
 * Since version 3.8, Debian's package depends on `default-jre`, which brings a desktop's libraries. ZooKeeper uses none of
 * them: this package provides the name, and brings the part of Java without them.
 */
const JAVA: PackageResource = {
  kind: 'package',
  name: 'mesosup-java',
  file: {
    control: `Package: mesosup-java
Version: 1
Architecture: all
Maintainer: mesosup <mesosup@localhost>
Section: java
Priority: optional
Depends: default-jre-headless
Provides: default-jre
Description: instead of default-jre, since ZooKeeper needs no graphical part of Java
`,
  },
};

export const ZOOKEEPER_BROUGHT: readonly Brought[] = [
  {
    packages: [ZOOKEEPER_PACKAGE, 'zookeeperd'],
    service: ZOOKEEPER_SERVICE,
    data: [ZOOKEEPER_DATA, '/var/log/zookeeper'],
  },
];

/** A host with ZooKeeper has a Java for it already. The apt of systems with Upstart installs no files. */
function needsJava(own: Facts): boolean {
  if (own.init === 'upstart') return false;
  return Boolean(installedPackage(own, JAVA.name)) || !installedPackage(own, ZOOKEEPER_PACKAGE);
}

export function zookeeper(context: Context): Part {
  if (!has(context, 'zookeeper')) return {};
  const { cluster, host, own, render, topology } = context;
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
    packages: [...(needsJava(own) ? [JAVA] : []), name],
    configuration: [
      directory('/etc/mesosup/zookeeper'),
      directory(ZOOKEEPER_DATA, { owner: 'zookeeper', mode: '0750' }),
      ...inputs,
    ],
    services: [service(context, ZOOKEEPER_SERVICE, [name, ...inputs])],
  };
}
