import { amount } from '../../apps/units.ts';
import { count } from '../../text/count.ts';
import { api, SHORT } from '../live/api.ts';
import { AppLink } from '../parts/app-link.tsx';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { Age } from '../parts/time.tsx';
import { type Agent, RESOURCES } from '../state/capacity.ts';
import { plain } from '../state/plain.ts';
import { pathOf } from '../state/route.ts';
import { AgentState, DrainButton, TITLES } from './agent-parts.tsx';
import { TaskTable } from './agent-tasks.tsx';
import '../style/agents.css';
import { Scroll } from '../parts/scroll.tsx';

const EVERY_MS = 5000;
const DRAIN_EVERY_MS = 2000;

/** An agent: its resources, its tasks, and its drain. */
export function AgentView({ id }: { id: string }) {
  const agents = useLoaded(() => api.call('GET', '/v2/agents', {}, SHORT), id, { everyMs: EVERY_MS });
  return (
    <>
      <nav aria-label="Place" class="crumbs">
        <a href={pathOf({ view: 'agents' })}>Agents</a>
      </nav>
      <Show of={agents}>
        {({ agents: all, problem }) => {
          const agent = all.find((one) => one.id === id);
          return agent ? (
            <Known agent={agent} problem={problem} reload={agents.reload} />
          ) : (
            <div class="panel empty">
              <h1>There is no agent {plain(id)}</h1>
              <p>Neither the master nor a task names it. An agent that was reinstalled has another id.</p>
              <a href={pathOf({ view: 'agents' })}>Show all agents</a>
            </div>
          );
        }}
      </Show>
    </>
  );
}

function Known({
  agent,
  problem,
  reload,
}: {
  agent: Agent;
  problem: string | undefined;
  reload: () => void;
}) {
  return (
    <>
      <div class="head">
        <div class="stack">
          <h1>{plain(agent.host)}</h1>
          <AgentState agent={agent} />
        </div>
        <DrainButton agent={agent} reload={reload} />
      </div>
      {problem !== undefined && (
        <p class="problem" role="alert">
          The master can't be asked, so nothing is known of the agent now: {plain(problem)}
        </p>
      )}
      {agent.drains === true && <DrainProgress id={agent.id} />}
      {agent.drains !== true && (agent.state === 'draining' || agent.state === 'drained') && (
        <p class="warning">
          Mesos drains this agent. <code>mesosup node undrain</code> puts it back into service.
        </p>
      )}
      <div class="columns">
        <Resources agent={agent} />
        <Facts agent={agent} />
      </div>
      <TaskTable agent={agent.id} />
    </>
  );
}

function DrainProgress({ id }: { id: string }) {
  const drain = useLoaded(() => api.call('GET', '/v2/agents/{id}/drain', { path: { id } }, SHORT), id, {
    everyMs: DRAIN_EVERY_MS,
  });
  if (drain.isMissing) return null;
  return (
    <Show of={drain}>
      {({ moving, staying, ending, starting, waiting }) => (
        <section class="warning stack" role="status" aria-label="Drain">
          <p>
            {moving + staying === 0
              ? 'The agent is drained: it has no tasks of this scheduler, and gets none.'
              : `Draining: ${count(moving, 'task')} to be replaced on other agents (${ending} ending, ${starting} starting elsewhere).`}
            {staying > 0 && ` ${count(staying, 'task')} of jobs or with volumes end only with the agent.`}
          </p>
          {waiting.length > 0 && (
            <p>
              No other agent has room for{' '}
              {waiting.map((app, i) => (
                <span key={app}>
                  {i > 0 && ', '}
                  <AppLink id={app} />
                </span>
              ))}
              .
            </p>
          )}
        </section>
      )}
    </Show>
  );
}

function Resources({ agent: { total, used, offered, reserved = {} } }: { agent: Agent }) {
  const roles = Object.keys(reserved);
  return (
    <Scroll label="Resources">
      <h2>Resources</h2>
      {total === undefined ? (
        <p class="faint">They are unknown: the master does not know the agent now.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th>Resource</th>
              <th class="number">Total</th>
              <th class="number">Used</th>
              <th class="number">Offered</th>
              {roles.map((role) => (
                <th key={role} class="number">
                  Reserved for {plain(role)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {RESOURCES.filter((name) => total[name] > 0).map((name) => (
              <tr key={name}>
                <td>{TITLES[name]}</td>
                <td class="number">{amount(total[name])}</td>
                <td class="number">{amount(used?.[name] ?? 0)}</td>
                <td class="number">{amount(offered?.[name] ?? 0)}</td>
                {roles.map((role) => (
                  <td key={role} class="number">
                    {amount(reserved[role]?.[name] ?? 0)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Scroll>
  );
}

function Facts({ agent: { id, version, ports, seenAt, attributes = {} } }: { agent: Agent }) {
  return (
    <section class="panel" aria-label="Facts">
      <h2>Facts</h2>
      <dl class="facts">
        <dt>Id</dt>
        <dd class="mono">{plain(id)}</dd>
        <dt>Mesos</dt>
        <dd>{plain(version ?? 'unknown')}</dd>
        <dt>Ports</dt>
        <dd>{plain(ports ?? 'unknown')}</dd>
        {seenAt !== undefined && (
          <>
            <dt>Last known</dt>
            <dd>
              <Age at={seenAt} /> ago
            </dd>
          </>
        )}
        {Object.entries(attributes).flatMap(([name, value]) => [
          <dt key={`name ${name}`}>{plain(name)}</dt>,
          <dd key={name}>{plain(String(value))}</dd>,
        ])}
      </dl>
    </section>
  );
}
