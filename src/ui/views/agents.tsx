import { computed } from '@preact/signals';
import { amount } from '../../apps/units.ts';
import { count } from '../../text/count.ts';
import { api, SHORT } from '../live/api.ts';
import { Show, useLoaded } from '../parts/loaded.tsx';
import { query, setQuery } from '../router.ts';
import { type Agent, byHost, fullnessOf, RESOURCES, type Resource, sumOf } from '../state/capacity.ts';
import { plain } from '../state/plain.ts';
import { pathOf } from '../state/route.ts';
import { AgentState, DrainButton, TITLES } from './agent-parts.tsx';
import '../style/agents.css';
import { Scroll } from '../parts/scroll.tsx';

const EVERY_MS = 5000;
const filter = computed(() => query.value.get('q') ?? '');

/** The agents of the cluster, and a map of how full they are. */
export function Agents() {
  const agents = useLoaded(() => api.call('GET', '/v2/agents', {}, SHORT), '', { everyMs: EVERY_MS });
  return (
    <>
      <div class="head">
        <h1>
          Agents <span class="faint">{agents.value?.agents.length}</span>
        </h1>
        <div class="filters">
          <label>
            Search
            <input
              type="search"
              data-search
              placeholder="Host, state or attribute"
              value={filter.value}
              onInput={({ currentTarget }) => setQuery({ q: currentTarget.value })}
            />
          </label>
        </div>
      </div>
      <Show of={agents}>
        {(value) => (
          <>
            {value.problem !== undefined && (
              <p class="problem" role="alert">
                The master can't be asked, so nothing is known of the agents: {plain(value.problem)}
              </p>
            )}
            {value.agents.length === 0 ? (
              <div class="panel empty">
                The cluster has no agents. Install one, or check that the agents reach the master.
              </div>
            ) : (
              <Cluster agents={byHost(value.agents)} reload={agents.reload} />
            )}
          </>
        )}
      </Show>
    </>
  );
}

function Cluster({ agents, reload }: { agents: readonly Agent[]; reload: () => void }) {
  const words = filter.value.toLowerCase().split(/\s+/);
  const shown = agents.filter((agent) => words.every((word) => textOf(agent).includes(word)));
  return (
    <>
      <section class="panel stack" aria-label="Capacity of the cluster">
        <div class="sums">
          {RESOURCES.map((name) => (
            <Sum key={name} agents={agents} name={name} />
          ))}
        </div>
        <ul class="map" aria-label="Map of the agents">
          {agents.map((agent) => (
            <Tile key={agent.id} agent={agent} />
          ))}
        </ul>
      </section>
      {shown.length === 0 ? (
        <div class="panel empty">No agent matches the search.</div>
      ) : (
        <Scroll label="Table of the agents">
          <AgentTable agents={shown} reload={reload} />
        </Scroll>
      )}
    </>
  );
}

function textOf({ host, state, attributes = {} }: Agent): string {
  const pairs = Object.entries(attributes).map(([name, value]) => `${name}=${value}`);
  return [host, state, ...pairs].join(' ').toLowerCase();
}

function Sum({ agents, name }: { agents: readonly Agent[]; name: Resource }) {
  const { total, used, unknown } = sumOf(agents, name);
  if (total === 0 && unknown === 0) return null;
  return (
    <div>
      <div class="faint">{TITLES[name]}</div>
      <strong>
        {amount(used)} of {amount(total)}
      </strong>{' '}
      used
      {unknown > 0 && <div class="faint">without {count(unknown, 'unknown agent')}</div>}
    </div>
  );
}

function Tile({ agent }: { agent: Agent }) {
  const { host, state } = agent;
  const fullness = fullnessOf(agent);
  const level = fullness === undefined ? 'unknown' : Math.min(4, Math.floor(fullness * 5));
  const text = fullness === undefined ? 'unknown' : `${Math.round(fullness * 100)} %`;
  return (
    <li class={`tile tile-${level}`} title={`${plain(host)}, ${state}: ${text}`}>
      <a class="tile-host" href={pathOf({ view: 'agent', id: agent.id })}>
        {plain(host)}
      </a>
      <span>{text}</span>
    </li>
  );
}

function AgentTable({ agents, reload }: { agents: readonly Agent[]; reload: () => void }) {
  return (
    <table>
      <thead>
        <tr>
          <th>Agent</th>
          <th>State</th>
          <th class="number">Tasks</th>
          <th>CPUs used</th>
          <th>Memory used, MiB</th>
          <th>Offered</th>
          <th>Reserved</th>
          <th>Attributes</th>
          <th>
            <span class="hidden">Changes</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {agents.map((agent) => (
          <AgentLine key={agent.id} agent={agent} reload={reload} />
        ))}
      </tbody>
    </table>
  );
}

function AgentLine({ agent, reload }: { agent: Agent; reload: () => void }) {
  const { id, host, tasks, attributes = {}, offered, reserved = {}, version } = agent;
  const known = agent.total !== undefined;
  return (
    <tr>
      <td>
        <a href={pathOf({ view: 'agent', id })} data-row>
          {plain(host)}
        </a>
        <div class="faint mono" title={version === undefined ? id : `Mesos ${version}`}>
          {plain(id)}
        </div>
      </td>
      <td>
        <AgentState agent={agent} />
      </td>
      <td class="number">{tasks}</td>
      <td>
        <Used agent={agent} name="cpus" />
      </td>
      <td>
        <Used agent={agent} name="mem" />
      </td>
      <td>{known ? `${amount(offered?.cpus ?? 0)} CPUs, ${amount(offered?.mem ?? 0)} MiB` : 'unknown'}</td>
      <td>
        {Object.entries(reserved).map(([role, { cpus, mem }]) => (
          <div key={role}>
            {plain(role)}: {amount(cpus)} CPUs, {amount(mem)} MiB
          </div>
        ))}
        {known && Object.keys(reserved).length === 0 && '–'}
      </td>
      <td>
        <div class="tags">
          {Object.entries(attributes).map(([name, value]) => (
            <span key={name} class="tag">
              {plain(`${name}=${value}`)}
            </span>
          ))}
        </div>
      </td>
      <td class="right">
        <DrainButton agent={agent} reload={reload} />
      </td>
    </tr>
  );
}

function Used({ agent: { total, used }, name }: { agent: Agent; name: Resource }) {
  if (!total || !used) return <span class="faint">unknown</span>;
  const text = `${amount(used[name])} of ${amount(total[name])}`;
  const width = total[name] > 0 ? Math.min(100, (used[name] / total[name]) * 100) : 0;
  return (
    <>
      {text}
      <svg class="bar" aria-hidden="true" viewBox="0 0 100 8" preserveAspectRatio="none">
        <rect class="bar-empty" width="100" height="8" />
        <rect class="bar-running" width={width} height="8" />
      </svg>
    </>
  );
}
