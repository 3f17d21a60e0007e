/** The Mesos agent. */

import { acceptedCredentials, acceptedPrincipals, usedCredential } from '../../cluster/rotation.ts';
import { importedOf, secretMark } from '../../cluster/secrets.ts';
import { agentFlags, MESOS_FILES } from '../mesos-flags.ts';
import { OPERATOR } from '../operator.ts';
import { agentWorkDir } from '../work-dirs.ts';
import { file, secretFile } from './build.ts';
import { type Context, has, type Part } from './context.ts';
import { AGENT_PRINCIPAL, masterFile } from './mesos-master.ts';
import { mesosService, unwantedService } from './mesos-service.ts';
import { monitoringCredentials, monitors } from './monitoring-user.ts';
import { mesosTlsVariables } from './tls.ts';

/** The principal with which the scheduler reads sandboxes. The ACLs of agents allow it nothing else. */
export const FILES_PRINCIPAL = 'mesosup-files';

export function mesosAgent(context: Context): Part {
  const { cluster, host, own: facts, topology, layout, address, render, secrets } = context;
  if (!has(context, 'agent')) return { services: unwantedService(context, layout.agent) };
  // Executors inherit none of the agent's variables of TLS.
  const executorVariables = Object.fromEntries(mesosTlsVariables(context, 'executor'));
  const flags = agentFlags({ cluster, host, facts, topology, layout, address, executorVariables });
  const [principal = usedCredential(AGENT_PRINCIPAL, 'agent', secrets)] = importedOf(secrets, 'agent');
  return mesosService(context, {
    names: layout.agent,
    agent: true,
    flags,
    tables: { attributes: host.attributes, resources: host.resources },
    workDirectory: agentWorkDir(cluster, host),
    files: [
      masterFile(context),
      secretFile(
        MESOS_FILES.agentCredential,
        render('config/mesos-credential.json', principal),
        'what the agent proves itself to the master with',
      ),
      secretFile(
        MESOS_FILES.agentHttpCredentials,
        render('config/mesos-credentials.json', {
          credentials: [
            ...acceptedCredentials(OPERATOR, 'operator', secrets),
            ...acceptedCredentials(FILES_PRINCIPAL, 'files', secrets),
            ...monitoringCredentials(context),
            ...importedOf(context.secrets, 'agent-http'),
          ],
        }),
        'who may speak to the agent',
      ),
      file(
        MESOS_FILES.agentAcls,
        render('config/agent-acls.json', {
          readers: acceptedPrincipals(FILES_PRINCIPAL, 'files', secrets),
          monitors: monitors(context),
        }),
        {
          mode: '0644',
          note: 'what the scheduler and the exporter may do at the agent',
        },
      ),
      ...(flags.get('jwt_secret_key') === MESOS_FILES.executorKey
        ? [
            secretFile(
              MESOS_FILES.executorKey,
              secretMark('executor-key'),
              "what executors' tokens are signed with",
            ),
          ]
        : []),
    ],
    after: 'master-elected',
  });
}
