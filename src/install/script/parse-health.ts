/** Parses the health that ZooKeeper, masters, agents and the scheduler report. */

import { z } from 'zod';
import { parseJson } from '../../json.ts';
import type { AgentHealth, LbHealth, MasterHealth, SchedulerHealth, ZooKeeperHealth } from '../host-facts.ts';
import { type HttpAnswer, parseAnswer, splitAnswer } from './http-request.ts';

/**
 * Parses the answer to `srvr`: `Zookeeper version: 3.8.0-…` and `Mode: follower`; without a quorum there is no mode.
 */
export function parseZooKeeper(printed: string): ZooKeeperHealth {
  const { text, asked } = splitAnswer(printed);
  return {
    answers: text !== '',
    mode: /^Mode: (\S+)/m.exec(text)?.[1] ?? '',
    version: /^Zookeeper version: ([0-9.]+)/m.exec(text)?.[1] ?? '',
    ...asked,
  };
}

const metrics = z.record(z.string(), z.number());
const version = z.object({ version: z.string() });
const info = z.object({
  version: z.string().catch(''),
  leader: z.string().nullish(),
  elected: z.boolean().catch(false),
  connected: z.boolean().catch(false),
});

function bodyOf<T>(schema: z.ZodType<T>, answer: HttpAnswer): T | undefined {
  return answer.status === 200 ? schema.safeParse(parseJson(answer.body)).data : undefined;
}

/** Describes an HTTP error; empty for a usable answer, and for none. */
function problemOf(who: string, { status, body }: HttpAnswer): string {
  if (status === 0 || status === 200) return '';
  if (status === 401) return `${who} refused the operator's credentials`;
  if (status === 403) return `${who} does not allow this request`;
  return `${who} answered ${status}: ${body.split('\n', 1)[0]?.slice(0, 200) ?? ''}`;
}

export function parseMaster(metricsText: string, versionText: string): MasterHealth {
  const { text, asked } = splitAnswer(metricsText);
  const answer = parseAnswer(text);
  const values = bodyOf(metrics, answer) ?? {};
  const reported = bodyOf(version, parseAnswer(splitAnswer(versionText).text));
  return {
    answers: answer.status > 0 || reported !== undefined,
    elected: values['master/elected'] === 1,
    recovered: values['registrar/log/recovered'] === 1,
    version: reported?.version ?? '',
    agentsConnected: values['master/slaves_connected'] ?? 0,
    frameworksActive: values['master/frameworks_active'] ?? 0,
    problem: problemOf('the master', answer),
    ...asked,
  };
}

/** Metrics of tasks that have not ended. */
const LIVE_TASKS = [
  'slave/tasks_staging',
  'slave/tasks_starting',
  'slave/tasks_running',
  'slave/tasks_killing',
];

/** Metrics of executors that have not ended. */
const LIVE_EXECUTORS = [
  'slave/executors_registering',
  'slave/executors_running',
  'slave/executors_terminating',
];

export function parseAgent(metricsText: string, versionText: string, id: string): AgentHealth {
  const { text, asked } = splitAnswer(metricsText);
  const answer = parseAnswer(text);
  const values = bodyOf(metrics, answer);
  const reported = bodyOf(version, parseAnswer(splitAnswer(versionText).text));
  const sum = (names: readonly string[]) =>
    values ? names.reduce((total, name) => total + (values[name] ?? 0), 0) : null;
  return {
    answers: answer.status > 0 || reported !== undefined,
    registered: values?.['slave/registered'] === 1,
    version: reported?.version ?? '',
    id: id.trim().split('/').at(-1) ?? '',
    tasks: sum(LIVE_TASKS),
    executors: sum(LIVE_EXECUTORS),
    problem: problemOf('the agent', answer),
    ...asked,
  };
}

export function parseScheduler(printed: string): SchedulerHealth {
  const { text, asked } = splitAnswer(printed);
  const answer = parseAnswer(text);
  const reported = bodyOf(info, answer);
  return {
    answers: answer.status > 0,
    // A follower forwards the request to the leader, and adds this header.
    leads: (reported?.elected ?? false) && !answer.headers.has('x-marathon-via'),
    leader: reported?.leader ?? '',
    subscribed: reported?.connected ?? false,
    version: reported?.version ?? '',
    problem: problemOf('the scheduler', answer),
    ...asked,
  };
}

/** Parses the metrics of the load balancer's program. */
export function parseLb(printed: string): LbHealth {
  const { text, asked } = splitAnswer(printed);
  const { status, body } = parseAnswer(text);
  const metric = (name: string) =>
    Number(new RegExp(`^mesosup_lb_${name} (\\S+)$`, 'm').exec(body)?.[1] ?? 0);
  return {
    answers: status === 200,
    balances: metric('haproxy_up') === 1,
    services: metric('services'),
    problems: metric('problems'),
    answeredAt: metric('scheduler_last_answer_timestamp_seconds') * 1000,
    ...asked,
  };
}
