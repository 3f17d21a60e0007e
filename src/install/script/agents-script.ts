/** Sends a request to a master: builds the script for the master's host, and parses the list of agents. */

import { z } from 'zod';
import { parseJson } from '../../json.ts';
import { type OperatorSecret, operator } from '../operator.ts';
import { assemble, type HostScripts } from './host-scripts.ts';
import { ANSWER_SECONDS, httpRequest, parseAnswer, splitAnswer } from './http-request.ts';

/** An agent, as the leading master knows it. */
export interface MasterAgent {
  readonly id: string;
  readonly hostname: string;
  /** `deactivated`: gets no offers, its tasks continue. `draining`, `drained`: its tasks end, or have ended. */
  readonly duty: 'active' | 'deactivated' | 'draining' | 'drained';
}

/** @param at the master, as its host reaches it. @returns a script for `Host.run`, which contains a secret */
export function masterScript(
  scripts: HostScripts,
  at: { readonly address: string; readonly port: number },
  secrets: OperatorSecret,
  request: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: string },
): string {
  const values = {
    ANSWER_SECONDS,
    MASTER_ADDRESS: at.address,
    MASTER_PORT: at.port,
    MASTER_REQUEST: httpRequest(request.method, request.path, operator(secrets), request.body),
  };
  return assemble(scripts, ['environment.sh', 'ask.sh', 'probe/asked.sh', 'ask-master.sh'], values, [
    'ask_master',
  ]);
}

const answer = z.object({
  slaves: z.array(
    z.object({
      id: z.string(),
      hostname: z.string(),
      deactivated: z.boolean().catch(false),
      drain_info: z.object({ state: z.string() }).optional().catch(undefined),
    }),
  ),
});

/** @returns undefined if it is not the answer of a leading master */
export function parseAgents(printed: string): MasterAgent[] | undefined {
  const { status, body } = parseAnswer(splitAnswer(printed).text);
  const found = status === 200 ? answer.safeParse(parseJson(body)).data : undefined;
  return found?.slaves.map(({ id, hostname, deactivated, drain_info }) => ({
    id,
    hostname,
    duty: dutyOf(deactivated, drain_info?.state),
  }));
}

function dutyOf(deactivated: boolean, drain: string | undefined): MasterAgent['duty'] {
  if (drain === 'DRAINED') return 'drained';
  if (drain === 'DRAINING') return 'draining';
  return deactivated ? 'deactivated' : 'active';
}
