import { columns } from '../text/columns.ts';

/** The data of the live table, from the APIs of scheduler and master. */
export interface Overview {
  apps: { id: string; instances: number; running: number }[];
  tasks: { id: string; app: string; host: string; ports: number[] }[];
  agents: { id: string; hostname: string; port: number; cpus: string; mem: string; ports: string }[];
}

/** The table as text, without a trailing line break. */
export function renderOverview({ apps, tasks, agents }: Overview): string {
  return [
    columns(
      ['APP', 'INSTANCES', 'RUNNING'],
      apps.map((a) => [a.id, String(a.instances), String(a.running)]),
    ),
    columns(
      ['TASK', 'APP', 'HOST', 'PORTS'],
      tasks.map((t) => [t.id, t.app, t.host, t.ports.join(' ')]),
    ),
    columns(
      ['AGENT', 'HOST', 'PORT', 'CPUS', 'MEM', 'PORTS OFFERED'],
      agents.map((a) => [a.id, a.hostname, String(a.port), a.cpus, a.mem, a.ports]),
    ),
  ].join('\n\n');
}
