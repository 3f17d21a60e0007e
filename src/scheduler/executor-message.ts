/** Mesos' MESSAGE between the scheduler and an executor. It may be lost. */

import type { SchedulerCall, SchedulerEvent } from '../mesos/types.ts';

export type MessageCall = Extract<SchedulerCall, { type: 'MESSAGE' }>;
export type MessageEvent = Extract<SchedulerEvent, { type: 'MESSAGE' }>;

interface Address {
  readonly agentId: string;
  readonly executorId: string;
}

/** @param data base64 */
export function messageTo({ agentId, executorId }: Address, data: string): MessageCall {
  const message = { agent_id: { value: agentId }, executor_id: { value: executorId }, data };
  return { type: 'MESSAGE', message };
}

/** True if the message comes from this executor: others may guess the ids of what it answers. */
export function isFrom({ message }: MessageEvent, { agentId, executorId }: Address): boolean {
  return message.agent_id.value === agentId && message.executor_id.value === executorId;
}
