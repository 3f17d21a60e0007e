/** The dashboard for Grafana: `$cluster` chooses the cluster, `$datasource` the Prometheus. */

type Unit = 'short' | 'percentunit' | 'bytes' | 's' | 'ops' | 'reqps';

interface Query {
  readonly expr: string;
  readonly legend: string;
}

interface Panel {
  readonly title: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** A number instead of a graph. */
  readonly isNumber?: boolean;
}

interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const C = 'cluster="$cluster"';
/** Only the leading master knows the agents and tasks. */
const ofLeader = (expr: string) => `${expr} and on (cluster, instance) mesos_master_elected{${C}} == 1`;
const number = (title: string, expr: string, unit: Unit = 'short'): Panel => ({
  title,
  unit,
  queries: [{ expr, legend: '' }],
  isNumber: true,
});
const graph = (title: string, unit: Unit, ...queries: readonly (readonly [string, string])[]): Panel => ({
  title,
  unit,
  queries: queries.map(([expr, legend]) => ({ expr, legend })),
});
/** Every scheduler answers for the leader. */
const ofScheduler = (expr: string, by = '') => `max by (cluster${by}) (${expr})`;
const quantile = (metric: string, q: number, by = '') =>
  `histogram_quantile(${q}, ${ofScheduler(`rate(${metric}_bucket{${C}}[5m])`, `, le${by}`)})`;

const ROWS: readonly Row[] = [
  {
    title: 'Cluster',
    panels: [
      number('Masters that lead', `sum(mesos_master_elected{${C}})`),
      number('Agents', ofLeader(`mesos_master_agents_active{${C}}`)),
      number('Agents unreachable', ofLeader(`mesos_master_agents_unreachable{${C}}`)),
      number('Tasks running', ofLeader(`mesos_master_tasks{${C}, state="running"}`)),
      number('Apps', ofScheduler(`mesosup_apps{${C}}`)),
      number('Instances missing', ofScheduler(`mesosup_queue_instances{${C}}`)),
      graph(
        'Resources allocated',
        'percentunit',
        [ofLeader(`mesos_master_cpus_used{${C}} / mesos_master_cpus{${C}}`), 'CPUs'],
        [ofLeader(`mesos_master_memory_used_bytes{${C}} / mesos_master_memory_bytes{${C}}`), 'memory'],
        [ofLeader(`mesos_master_disk_used_bytes{${C}} / mesos_master_disk_bytes{${C}}`), 'disk'],
      ),
      graph('Tasks', 'short', [ofLeader(`mesos_master_tasks{${C}}`), '{{state}}']),
      graph('Tasks ended', 'ops', [ofLeader(`rate(mesos_master_tasks_ended_total{${C}}[5m])`), '{{state}}']),
      graph('Masters and agents that answer', 'short', [
        `sum by (component) (mesos_up{${C}, endpoint="/metrics/snapshot"})`,
        '{{component}}',
      ]),
    ],
  },
  {
    title: 'Masters',
    panels: [
      graph(
        'Agents',
        'short',
        [ofLeader(`mesos_master_agents_active{${C}}`), 'active'],
        [ofLeader(`mesos_master_agents_disconnected{${C}}`), 'disconnected'],
        [ofLeader(`mesos_master_agents_unreachable{${C}}`), 'unreachable'],
      ),
      graph(
        'Frameworks',
        'short',
        [ofLeader(`mesos_master_frameworks_active{${C}}`), 'active'],
        [ofLeader(`mesos_master_frameworks_disconnected{${C}}`), 'disconnected'],
      ),
      graph('Offers without an answer', 'short', [
        ofLeader(`mesos_master_outstanding_offers{${C}}`),
        'offers',
      ]),
      graph('Time to answer the exporter', 's', [
        `mesos_scrape_duration_seconds{${C}, component="master"}`,
        '{{host}}',
      ]),
    ],
  },
  {
    title: 'Agents',
    panels: [
      graph('CPUs allocated', 'percentunit', [
        `mesos_agent_cpus_used{${C}} / mesos_agent_cpus{${C}}`,
        '{{host}}',
      ]),
      graph('Memory allocated', 'percentunit', [
        `mesos_agent_memory_used_bytes{${C}} / mesos_agent_memory_bytes{${C}}`,
        '{{host}}',
      ]),
      graph('Tasks running', 'short', [`mesos_agent_tasks{${C}, state="running"}`, '{{host}}']),
      graph('Containers of Mesos', 'short', [`mesos_agent_containers{${C}}`, '{{host}}']),
    ],
  },
  {
    title: 'Scheduler',
    panels: [
      graph('Tasks', 'short', [ofScheduler(`mesosup_tasks{${C}}`, ', state'), '{{state}}']),
      graph(
        'Deployments and queue',
        'short',
        [ofScheduler(`mesosup_deployments{${C}}`), 'deployments'],
        [ofScheduler(`mesosup_queue_apps{${C}}`), 'apps in the queue'],
        [ofScheduler(`mesosup_tasks_unanswered{${C}}`), 'tasks without a reported state'],
      ),
      graph(
        'Tasks launched and killed',
        'ops',
        [ofScheduler(`rate(mesosup_tasks_launched_total{${C}}[5m])`), 'launched'],
        [ofScheduler(`rate(mesosup_tasks_killed_total{${C}}[5m])`), 'killed'],
      ),
      graph(
        'Calls to the master',
        'ops',
        [ofScheduler(`rate(mesosup_mesos_calls_total{${C}}[5m])`, ', type'), '{{type}}'],
        [ofScheduler(`rate(mesosup_mesos_call_failures_total{${C}}[5m])`, ', type'), '{{type}} failed'],
      ),
      graph(
        'Time to store changes',
        's',
        [quantile('mesosup_store_append_duration_seconds', 0.5), 'median'],
        [quantile('mesosup_store_append_duration_seconds', 0.99), 'p99'],
      ),
      graph('Time of requests, p99', 's', [
        quantile('mesosup_http_request_duration_seconds', 0.99, ', route'),
        '{{route}}',
      ]),
    ],
  },
  {
    title: 'Load balancer',
    panels: [
      graph(
        'Services and servers',
        'short',
        [`mesosup_lb_services{${C}}`, '{{host}} services'],
        [`mesosup_lb_servers{${C}}`, '{{host}} servers'],
        [`mesosup_lb_problems{${C}}`, '{{host}} problems'],
      ),
      graph(
        'Changes',
        'ops',
        [`rate(mesosup_lb_runtime_changes_total{${C}}[5m])`, '{{host}} at run time'],
        [`rate(mesosup_lb_reloads_total{${C}}[5m])`, '{{host}} by a reload'],
      ),
      graph('Time from an event to traffic, p99', 's', [
        `histogram_quantile(0.99, sum by (host, le) (rate(mesosup_lb_event_to_traffic_seconds_bucket{${C}}[5m])))`,
        '{{host}}',
      ]),
      graph('Sessions', 'short', [`sum by (host) (haproxy_frontend_current_sessions{${C}})`, '{{host}}']),
      graph('Answers', 'reqps', [
        `sum by (code) (rate(haproxy_frontend_http_responses_total{${C}}[5m]))`,
        '{{code}}',
      ]),
      graph('Errors of servers', 'ops', [
        `sum by (proxy) (rate(haproxy_backend_connection_errors_total{${C}}[5m])) > 0`,
        '{{proxy}}',
      ]),
    ],
  },
];

const WIDTH = 24;
const HEIGHTS = { number: 4, graph: 8 };
const WIDTHS = { number: 4, graph: 12 };

/** @returns the dashboard, as Grafana imports it */
export function dashboard(): Record<string, unknown> {
  const panels: Record<string, unknown>[] = [];
  let y = 0;
  for (const row of ROWS) {
    panels.push({
      id: panels.length + 1,
      type: 'row',
      title: row.title,
      gridPos: { x: 0, y, w: WIDTH, h: 1 },
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of row.panels) {
      const form = panel.isNumber ? 'number' : 'graph';
      if (x + WIDTHS[form] > WIDTH || (height > 0 && height !== HEIGHTS[form])) {
        y += height;
        x = 0;
      }
      height = HEIGHTS[form];
      panels.push(panelJson(panels.length + 1, panel, { x, y, w: WIDTHS[form], h: height }));
      x += WIDTHS[form];
    }
    y += height;
  }
  return {
    uid: 'mesosup',
    title: 'Mesos and mesosup',
    tags: ['mesos', 'mesosup'],
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: { list: [datasourceVariable, clusterVariable] },
    panels,
  };
}

const DATASOURCE = { type: 'prometheus', uid: '$datasource' };

const datasourceVariable = {
  name: 'datasource',
  label: 'Prometheus',
  type: 'datasource',
  query: 'prometheus',
};

const clusterVariable = {
  name: 'cluster',
  label: 'Cluster',
  type: 'query',
  datasource: DATASOURCE,
  query: { query: 'label_values(up{job=~"mesos|mesosup-scheduler|mesosup-lb"}, cluster)', refId: 'cluster' },
  refresh: 2,
};

function panelJson(id: number, { title, unit, queries, isNumber }: Panel, gridPos: object) {
  return {
    id,
    type: isNumber ? 'stat' : 'timeseries',
    title,
    gridPos,
    datasource: DATASOURCE,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: queries.map(({ expr, legend }, i) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + i),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
    })),
  };
}
