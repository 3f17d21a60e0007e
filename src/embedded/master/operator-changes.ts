/** The calls of the v1 operator API that change state. */

import { CallRefused } from '../wire/http.ts';
import { checkShape, type Shape } from '../wire/shape.ts';
import { deactivateAgent, drainAgent, markAgentGone, reactivateAgent } from './drain.ts';
import type { Master } from './model.ts';

/** google.protobuf.Duration */
interface WireDuration {
  seconds?: number;
  nanos?: number;
}

interface AgentCall {
  agent_id: { value: string };
  max_grace_period?: WireDuration;
  mark_gone?: boolean;
}

const AGENT_CALL: Shape = {
  'agent_id!': { 'value!': 'string' },
  max_grace_period: { seconds: 'number', nanos: 'number' },
  mark_gone: 'boolean',
};

const ACTS: Readonly<Record<string, (master: Master, agentId: string, call: AgentCall) => Promise<void>>> = {
  DRAIN_AGENT: (master, agentId, { max_grace_period, mark_gone = false }) =>
    drainAgent(master, agentId, {
      ...(max_grace_period ? { max_grace_period: { nanoseconds: nanoseconds(max_grace_period) } } : {}),
      mark_gone,
    }),
  DEACTIVATE_AGENT: deactivateAgent,
  REACTIVATE_AGENT: reactivateAgent,
  MARK_AGENT_GONE: markAgentGone,
};

/** Performs a call. @returns undefined for a call of another type. @throws CallRefused */
export function performChange(master: Master, call: Record<string, unknown>): Promise<void> | undefined {
  const { type } = call;
  if (typeof type !== 'string' || !Object.hasOwn(ACTS, type)) return undefined;
  const part = type.toLowerCase();
  const wrong = checkShape(call, { [part]: AGENT_CALL });
  if (wrong !== undefined) throw new CallRefused(400, `Failed to convert JSON into Call protobuf: ${wrong}`);
  const agentCall = call[part] as AgentCall | undefined;
  if (!agentCall) {
    throw new CallRefused(400, `Failed to validate master::Call: Expecting '${part}' to be present`);
  }
  return ACTS[type]?.(master, agentCall.agent_id.value, agentCall);
}

function nanoseconds({ seconds = 0, nanos = 0 }: WireDuration): number {
  return seconds * 1_000_000_000 + nanos;
}
