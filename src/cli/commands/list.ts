import { homedir } from 'node:os';
import path from 'node:path';
import { ClusterState, stateHome } from '../../cluster/edge/cluster-state.ts';
import { type ClusterLook, type ClusterRow, clustersTable } from '../../context/cluster-rows.ts';
import type { Context } from '../../context/context.ts';
import { clientOf } from '../api-command.ts';
import { BaseCommand } from '../base-command.ts';
import { terminalWidth } from '../flags/output-flag.ts';
import { userContexts } from '../user-contexts.ts';

/** The look at all clusters takes no longer. */
const LOOK_MS = 2000;

const NONE =
  'No cluster is known on this machine. Try "mesosup demo --detach", or make one with "mesosup init" and "mesosup install".';

export default class List extends BaseCommand {
  static override summary = 'List the clusters that are known on this machine, and look if they answer.';
  static override description =
    'Shows clusters installed from this machine, a running demo, and those of "mesosup context add". Asks the scheduler of each for its apps and waits 2 seconds at most; nothing is asked by SSH. "mesosup status" shows the hosts of a cluster.';
  static override examples = ['<%= config.bin %> list', '<%= config.bin %> list --json'];
  static override enableJsonFlag = true;

  async run(): Promise<{ clusters: readonly ClusterRow[] }> {
    await this.parse(List);
    const { contexts, current } = await userContexts().list();
    const signal = AbortSignal.timeout(LOOK_MS);
    const clusters = await Promise.all(
      contexts.map(async (context): Promise<ClusterRow> => {
        const { name, source, urls } = context;
        const hosts = source === 'installed' ? await hostsOf(name) : undefined;
        const found = await lookAt(context, signal);
        return { name, inUse: name === current, source, urls, ...(hosts && { hosts }), ...found };
      }),
    );
    this.log(clusters.length > 0 ? clustersTable(clusters, { width: terminalWidth(), wide: false }) : NONE);
    return { clusters };
  }
}

/** Any failure is the result. */
async function lookAt(context: Context, signal: AbortSignal): Promise<ClusterLook> {
  if (context.urls.length === 0) return { answers: false, problem: 'no host has a scheduler' };
  try {
    const client = await clientOf(context);
    const { apps } = await client.call(
      'GET',
      '/v2/apps',
      { query: { fields: 'id,tasksRunning' } },
      { signal, patienceMs: 0 },
    );
    return {
      answers: true,
      url: client.url,
      apps: apps.length,
      tasks: apps.reduce((sum, { tasksRunning = 0 }) => sum + tasksRunning, 0),
    };
  } catch (error) {
    const problem = signal.aborted
      ? `no answer in ${LOOK_MS / 1000} s`
      : error instanceof Error
        ? // The table names the URL.
          error.message.replace(/^no scheduler answers at \S+: /, '')
        : String(error);
    return { answers: false, problem };
  }
}

async function hostsOf(name: string): Promise<string[] | undefined> {
  const state = new ClusterState(path.join(stateHome(process.env, homedir()), name));
  return (await state.cluster())?.hosts.map((host) => host.name);
}
