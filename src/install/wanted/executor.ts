/** The Docker executor for Mesos, and the janitor that removes containers whose executor has ended, and images. */

import { hostsWith } from '../../cluster/topology.ts';
import { isJson, parseJson } from '../../json.ts';
import type { Targets } from '../probe-targets.ts';
import { addressOf } from '../topology.ts';
import { MESOS_STATE } from '../work-dirs.ts';
import { CURRENT } from './base.ts';
import { directory, file, service, unitPath } from './build.ts';
import { type Context, has, type Part } from './context.ts';

/** The addresses to which the executor connects for exec. */
const SCHEDULERS = '/etc/mesosup/schedulers.json';

const EXECUTORS = `${MESOS_STATE}/executors`;
export const EXECUTOR = `${EXECUTORS}/docker`;

/** Read recursively: executors of other programs keep the directory. */
export const EXECUTOR_TARGETS: Targets = { trees: [EXECUTORS] };

const JANITOR_TIMER = 'mesosup-janitor.timer';

export function executor(context: Context): Part {
  if (!has(context, 'agent')) return {};
  const { cluster, own, render } = context;
  const program = `${CURRENT}/executors/docker`;
  const wrapper = [
    directory(MESOS_STATE),
    directory(EXECUTORS),
    file(EXECUTOR, render('config/executor-docker.sh', { executor: program, schedulers: SCHEDULERS }), {
      mode: '0755',
      note: 'the Docker executor',
    }),
    file(SCHEDULERS, `${JSON.stringify({ schedulers: schedulerUrls(context) }, null, 2)}\n`, {
      note: 'the schedulers to which the Docker executor connects',
    }),
  ];
  // Upstart has no timers, and hosts with Upstart can't run the executor.
  if (own.init === 'upstart') return { configuration: wrapper };
  // The wrapper sets the paths of the policy and of the records of images.
  const command = [EXECUTOR, 'janitor', '--once', '--cluster', cluster.name];
  const timer = file(unitPath(context, JANITOR_TIMER), render('systemd/mesosup-janitor.timer', {}));
  const unit = file(
    unitPath(context, 'mesosup-janitor'),
    render('systemd/mesosup-janitor.service', { command }),
  );
  return {
    configuration: [...wrapper, unit, timer],
    services: [service(context, JANITOR_TIMER, [timer])],
  };
}

/**
 * The addresses of the schedulers, sorted. As long as one of them is unreachable, the addresses that the host has are
 * kept: one of them may be that scheduler's.
 */
function schedulerUrls({ cluster, facts, own }: Context): string[] {
  const schedulers = hostsWith(cluster, 'scheduler');
  const addresses = schedulers.map((host) => addressOf(cluster, host, facts));
  const urls = addresses.flatMap((address) =>
    address === undefined ? [] : [`http://${address}:${cluster.ports.scheduler}`],
  );
  const kept = schedulers.every(({ name }) => facts.has(name)) ? [] : presentUrls(own);
  return [...new Set([...urls, ...kept])].toSorted();
}

function presentUrls({ files }: Context['own']): string[] {
  const content = parseJson(files[SCHEDULERS]?.text ?? '');
  const urls = isJson(content) && Array.isArray(content.schedulers) ? content.schedulers : [];
  return urls.filter((url) => typeof url === 'string');
}
