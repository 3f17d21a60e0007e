/** What the list of agents and the view of one share. */

import { count } from '../../text/count.ts';
import { drainAgent, endDrain } from '../changes.ts';
import { ask } from '../parts/dialog.tsx';
import { attempt } from '../parts/notices.tsx';
import { Age } from '../parts/time.tsx';
import type { Agent, Resource } from '../state/capacity.ts';
import { plain } from '../state/plain.ts';
import { isOperator } from '../store.ts';

export const TITLES: Readonly<Record<Resource, string>> = {
  cpus: 'CPUs',
  mem: 'Memory, MiB',
  disk: 'Disk, MiB',
  gpus: 'GPUs',
};

const STATES: Readonly<Record<Agent['state'], string>> = {
  active: 'running',
  inactive: 'failed',
  draining: 'deploying',
  drained: 'suspended',
  unknown: 'unreachable',
};

export function AgentState({ agent: { state, seenAt } }: { agent: Agent }) {
  return (
    <div>
      <span class={`state state-${STATES[state]}`}>{state}</span>
      {seenAt !== undefined && (
        <div class="faint">
          last known <Age at={seenAt} /> ago
        </div>
      )}
    </div>
  );
}

/** Begins or ends the drain by this scheduler. A drain by Mesos is ended by an operator of Mesos. */
export function DrainButton({ agent, reload }: { agent: Agent; reload: () => void }) {
  const { id, state, tasks, drains = false } = agent;
  if (!isOperator.value) return null;
  const host = plain(agent.host);
  const drain = async () => {
    const body = (
      <>
        <p>
          It gets no new tasks from this scheduler. Its {count(tasks, 'task')} end once others run elsewhere,
          by the rules of their apps.
        </p>
        <p>
          Before work on the host, use <code>mesosup node drain</code>: it also takes the agent out of service
          in Mesos.
        </p>
      </>
    );
    if (!(await ask({ title: `Drain ${host}?`, action: 'Drain', body }))) return;
    if (await attempt(`${host} is being drained.`, () => drainAgent(id))) reload();
  };
  const undrain = async () => {
    if (await attempt(`${host} gets tasks again.`, () => endDrain(id))) reload();
  };
  if (drains) {
    return (
      <button type="button" onClick={undrain} aria-label={`End the drain of ${host}`}>
        End the drain
      </button>
    );
  }
  if (state !== 'active' && state !== 'inactive') return null;
  return (
    <button type="button" onClick={drain} aria-label={`Drain ${host} …`}>
      Drain …
    </button>
  );
}
