/** The Docker executor for Mesos, and the janitor that removes containers whose executor has ended, and images. */

import type { Targets } from '../probe-targets.ts';
import { MESOS_STATE } from '../work-dirs.ts';
import { CURRENT } from './base.ts';
import { directory, file, service, unitPath } from './build.ts';
import { type Context, has, type Part } from './context.ts';
import { SCHEDULERS, schedulersFile } from './scheduler-urls.ts';
import { executorTlsFile, tlsFilesOf } from './tls.ts';

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
    // For exec.
    schedulersFile(context),
    ...tlsFilesOf(context, 'executor'),
    // After the files that it names.
    ...executorTlsFile(context),
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
