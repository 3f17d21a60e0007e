/** Schemas of the answers about the scheduler itself. */

import * as z from 'zod';
import { type Shown, time } from '../openapi/shown.ts';

const text = z.string();
const number = z.number();

/** The configuration, with Marathon's names. */
const marathonConfig = z.object({
  master: text,
  framework_name: text,
  mesos_role: text,
  mesos_user: text,
  failover_timeout: number.optional(),
  checkpoint: z.boolean(),
  executor: text,
  hostname: text,
  ha: z.boolean(),
  local_port_min: number,
  local_port_max: number,
  decline_offer_duration: number,
  reconciliation_initial_delay: number,
  reconciliation_interval: number,
  task_launch_timeout: number,
  webui_url: text.nullable(),
  access_control_allow_origin: z.array(text).nullable(),
  features: z.array(text),
  max_instances_per_offer: number,
  mesos_bridge_name: text,
  default_network_name: text.nullable(),
  new_group_enforce_role: text,
});

const setup = z.object({
  name: text,
  version: text.meta({ description: 'The release of mesosup' }),
  buildref: text,
  marathon_config: marathonConfig,
  zookeeper_config: z.object({ zk: text, zk_hosts: text, zk_path: text }).partial(),
  http_config: z.object({ http_port: number.nullable(), https_port: number.nullable() }),
});

const leader = z.object({ leader: text });

const master = z.object({
  address: text,
  leads: z.boolean().optional().meta({ description: 'Absent: the master does not tell' }),
  version: text.optional().meta({ description: 'Of Mesos' }),
  startedAt: time.optional(),
  problem: text.optional().meta({ description: 'Why the master could not be asked' }),
});

const scheduler = z.object({
  address: text,
  leads: z.boolean(),
  urls: z.array(text).meta({ description: 'The schedulers are expected to have the same HTTPS port' }),
});

const info = setup.extend({
  ...leader.shape,
  marathon_config: marathonConfig.extend({ mesos_leader_ui_url: text.nullable() }),
  elected: z.boolean(),
  frameworkId: text.nullable(),
  connected: z.boolean().optional().meta({ description: 'With embed=connected: to the leading master' }),
  masters: z.array(master).optional().meta({ description: 'With embed=masters' }),
  mastersProblem: text
    .optional()
    .meta({ description: 'With embed=masters: why they could not be found in ZooKeeper' }),
  schedulers: z
    .array(scheduler)
    .optional()
    .meta({ description: 'With embed=schedulers: those that stand for election, the leading one first' }),
});

const metrics = z.object({
  version: text,
  gauges: z.record(z.string(), z.object({ value: number })),
});

/** Named as in the API's description. */
export const schedulerSchemas = { Info: info, Leader: leader, Metrics: metrics };

export type SetupJson = Shown<typeof setup>;
export type InfoJson = Shown<typeof info>;
export type MetricsJson = Shown<typeof metrics>;
