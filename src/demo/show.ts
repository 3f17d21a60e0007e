import { setTimeout as sleep } from 'node:timers/promises';
import type { DemoPlan } from './demo-plan.ts';
import { readOverview } from './overview.ts';
import type { DemoResult } from './run.ts';
import { type Endpoint, SchedulerApi } from './scheduler-api.ts';
import { renderOverview } from './table.ts';

const REFRESH_MS = 1000;
const CLEAR_SCREEN = '\u001b[H\u001b[2J';

/** One line with the answer and the time it took, split into Docker and mesosup. */
export function summarize({ answer, wallMs, dockerMs }: DemoResult): string {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  return `GET x answered ${answer} after ${seconds(wallMs)}: ${seconds(dockerMs)} in Docker's create and start calls, ${seconds(wallMs - dockerMs)} in mesosup`;
}

/** Commands to try next: mesosup's own, whose context is the demo, and those of the 2013 page. */
export function nextCommands(
  { schedulerUrl, masterUrl, executor, servicePort }: DemoPlan,
  image: string,
  { host, port }: Endpoint,
): string {
  const api = schedulerUrl.replace('127.0.0.1', 'localhost');
  return [
    'Try next, in another terminal:',
    '  mesosup app list',
    '  mesosup app logs multidis --follow',
    '  mesosup app exec -it multidis -- redis-cli',
    '  mesosup app scale multidis 3',
    ...(servicePort === undefined ? [] : [`  redis-cli -p ${servicePort} GET x`]),
    '',
    'Or with the API, as in 2013:',
    `  http GET ${api}/v1/endpoints`,
    `  docker run -i -t ${image} redis-cli -h ${host} -p ${port}`,
    `  http POST ${api}/v1/apps/scale id=multidis instances=3`,
    `  http POST ${api}/v1/apps/start id=second instances=1 mem=64 cpus=0.5 executor=${executor} cmd='${image}'`,
    `  http POST ${api}/v1/apps/stop id=second`,
    `  curl ${masterUrl}/state`,
  ].join('\n');
}

/**
 * Shows the cluster until `signal` aborts or `ended` resolves: a live table on a terminal, otherwise the table once.
 */
export async function watch(
  plan: DemoPlan,
  image: string,
  result: DemoResult,
  out: NodeJS.WriteStream,
  signal: AbortSignal,
  ended: Promise<void>,
): Promise<void> {
  const api = new SchedulerApi(plan.schedulerUrl, signal);
  const commands = nextCommands(plan, image, result.endpoint);
  const text = async () =>
    `${renderOverview(await readOverview(api, plan.masterUrl, signal))}\n\n${commands}\n`;
  const headline = summarize(result);
  const hasEnded = ended.then(() => true);
  if (!out.isTTY) {
    out.write(`${await text()}\nCtrl-C ends the demo.\n`);
    await Promise.race([hasEnded, sleep(2 ** 31 - 1, undefined, { signal })]).catch(() => undefined);
    return;
  }
  while (!signal.aborted) {
    // A program that is restarting answers again soon.
    const frame = await text().catch((error: Error) => `${error.message}\n`);
    if (signal.aborted) return;
    out.write(`${CLEAR_SCREEN}${headline}\n\n${frame}\nCtrl-C ends the demo.\n`);
    if (await Promise.race([hasEnded, sleep(REFRESH_MS, false, { signal }).catch(() => true)])) return;
  }
}
