/** The Mesos master. */

import { acceptedCredentials } from '../../cluster/rotation.ts';
import { importedOf, secretMark } from '../../cluster/secrets.ts';
import { MESOS_FILES, masterFlags } from '../mesos-flags.ts';
import { OPERATOR } from '../operator.ts';
import type { Resource } from '../resources/registry.ts';
import { masterWorkDir } from '../work-dirs.ts';
import { file, secretFile } from './build.ts';
import { type Context, has, type Part } from './context.ts';
import { mesosService, unwantedService } from './mesos-service.ts';
import { monitoringCredentials, monitors } from './monitoring-user.ts';

/** The principal of agents at masters. */
export const AGENT_PRINCIPAL = 'mesos-agent';

export function mesosMaster(context: Context): Part {
  const { cluster, host, own: facts, topology, layout, address, secrets } = context;
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
            ...acceptedCredentials(AGENT_PRINCIPAL, 'agent', secrets),
            // Only this one is accepted at a time: the scheduler tries both while it is rotated.
            { principal: 'mesosup', secret: secretMark('scheduler') },
            ...acceptedCredentials(OPERATOR, 'operator', secrets),
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
              context.render('config/master-acls.json', { monitors: monitors(context) }),
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
