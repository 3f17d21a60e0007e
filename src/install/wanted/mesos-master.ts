/** The Mesos master. */

import { importedOf, secretMark } from '../../cluster/secrets.ts';
import { MESOS_FILES, masterFlags } from '../mesos-flags.ts';
import type { Resource } from '../resources/registry.ts';
import { masterWorkDir } from '../work-dirs.ts';
import { file, secretFile } from './build.ts';
import { type Context, has, type Part } from './context.ts';
import { mesosService, unwantedService } from './mesos-service.ts';
import { MONITORING_USER, monitoringCredentials } from './monitoring-user.ts';

export function mesosMaster(context: Context): Part {
  const { cluster, host, own: facts, topology, layout, address } = context;
  if (!has(context, 'master')) return { services: unwantedService(context, layout.master) };
  return mesosService(context, {
    names: layout.master,
    agent: false,
    flags: masterFlags({ cluster, host, facts, topology, layout, address }),
    tables: {},
    workDirectory: masterWorkDir(cluster, host),
    files: [
      ...(topology.usesZooKeeper ? [masterFile(context)] : []),
      secretFile(
        MESOS_FILES.masterCredentials,
        context.render('config/mesos-credentials.json', {
          credentials: [
            { principal: 'mesos-agent', secret: secretMark('agent') },
            { principal: 'mesosup', secret: secretMark('scheduler') },
            { principal: 'operator', secret: secretMark('operator') },
            ...monitoringCredentials(context),
            ...importedOf(context.secrets, 'master'),
          ],
        }),
        'who may speak to the master',
      ),
      ...(cluster.monitoring
        ? [
            file(
              MESOS_FILES.masterAcls,
              context.render('config/master-acls.json', { monitor: MONITORING_USER }),
              { note: 'what the exporter may do at the master' },
            ),
          ]
        : []),
    ],
    ...(topology.zookeepers.length > 0 && { after: 'zookeeper-quorum' }),
  });
}

/** Without a line end, since Mesos does not trim the text. */
export function masterFile({ topology }: Context): Resource {
  return secretFile(MESOS_FILES.master, topology.mesos, 'where masters meet and agents find them');
}
