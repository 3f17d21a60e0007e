import { MesosupError } from '../errors/mesosup-error.ts';
import type { TaskJson } from '../scheduler/api/v2/app-schemas.ts';

/** Chooses a task in which a command can run; healthy ones first. @throws MesosupError if none runs */
export function chooseTask(target: string, tasks: readonly TaskJson[]): TaskJson {
  const running = tasks.filter(({ state }) => state === 'TASK_RUNNING');
  const healthy = running.find(({ healthCheckResults = [] }) => healthCheckResults.every((one) => one.alive));
  const chosen = healthy ?? running[0];
  if (chosen) return chosen;
  throw new MesosupError(`no task of ${target} is running`, {
    remedy: 'Show its tasks with "mesosup app tasks", and why it is waiting with "mesosup app why".',
  });
}
