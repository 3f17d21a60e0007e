/**
 * Validates parsed JSON against the messages of the Mesos API, like Mesos' protobuf conversion: unknown fields are
 * accepted; a missing required field and a value of the wrong kind are errors.
 */

import { isJson } from '../../json.ts';

/** `[shape]` is a list. In an object, a name that ends in `!` is required, and `*` means any name. */
export type Shape =
  | 'string'
  | 'number'
  | 'boolean'
  | 'any'
  | readonly [Shape]
  | { readonly [field: string]: Shape };

/** @returns the text for a 400 answer, or undefined */
export function checkShape(value: unknown, shape: Shape): string | undefined {
  const missing: string[] = [];
  const wrong = check(value, shape, '', missing);
  if (wrong !== undefined) return wrong;
  return missing.length > 0 ? `Missing required fields: ${missing.join(', ')}` : undefined;
}

function check(value: unknown, shape: Shape, path: string, missing: string[]): string | undefined {
  if (shape === 'any') return undefined;
  if (typeof shape === 'string') {
    const right = typeof value === shape && (shape !== 'number' || Number.isFinite(value));
    return right ? undefined : unexpected(value, path);
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return unexpected(value, path);
    for (const [i, item] of value.entries()) {
      const wrong = check(item, shape[0] as Shape, `${path}[${i}]`, missing);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }
  if (!isJson(value)) return unexpected(value, path);
  const fields = value as Record<string, unknown>;
  for (const [key, inner] of Object.entries(shape).flatMap(([key, inner]) =>
    key === '*' ? Object.keys(fields).map((name) => [name, inner] as const) : [[key, inner] as const],
  )) {
    const required = key.endsWith('!');
    const name = required ? key.slice(0, -1) : key;
    const at = path === '' ? name : `${path}.${name}`;
    const field = fields[name];
    if (field === undefined || field === null) {
      if (required) missing.push(at);
      delete fields[name];
      continue;
    }
    const wrong = check(field, inner, at, missing);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function unexpected(value: unknown, path: string): string {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  return `Not expecting a JSON ${kind} for field '${path}'`;
}

const ID: Shape = { 'value!': 'string' };

const LABELS: Shape = { labels: [{ 'key!': 'string', value: 'string' }] };
const RESERVATION: Shape = { type: 'string', role: 'string', principal: 'string', labels: LABELS };

export const RESOURCE: Shape = {
  'name!': 'string',
  'type!': 'string',
  scalar: { 'value!': 'number' },
  ranges: { range: [{ 'begin!': 'number', 'end!': 'number' }] },
  set: { item: ['string'] },
  role: 'string',
  reservation: RESERVATION,
  reservations: [RESERVATION],
  disk: {
    persistence: { 'id!': 'string', principal: 'string' },
    volume: { 'mode!': 'string', 'container_path!': 'string', host_path: 'string' },
    source: { 'type!': 'string', path: { root: 'string' }, mount: { root: 'string' } },
  },
  allocation_info: { role: 'string' },
};

const COMMAND: Shape = {
  value: 'string',
  shell: 'boolean',
  arguments: ['string'],
  environment: { variables: [{ 'name!': 'string', value: 'string' }] },
  user: 'string',
  uris: [{ 'value!': 'string' }],
};

const DURATION: Shape = { 'nanoseconds!': 'number' };
const KILL_POLICY: Shape = { grace_period: DURATION };

const HEALTH_CHECK: Shape = {
  type: 'string',
  delay_seconds: 'number',
  interval_seconds: 'number',
  timeout_seconds: 'number',
  grace_period_seconds: 'number',
  consecutive_failures: 'number',
  command: COMMAND,
  http: { 'port!': 'number', path: 'string', scheme: 'string', statuses: ['number'], protocol: 'string' },
  tcp: { 'port!': 'number', protocol: 'string' },
};

const PORT_MAPPING: Shape = { 'host_port!': 'number', 'container_port!': 'number', protocol: 'string' };

const CONTAINER: Shape = {
  'type!': 'string',
  volumes: [{ 'mode!': 'string', 'container_path!': 'string', host_path: 'string' }],
  network_infos: [
    {
      name: 'string',
      ip_addresses: [{ protocol: 'string', ip_address: 'string' }],
      port_mappings: [PORT_MAPPING],
    },
  ],
  docker: {
    'image!': 'string',
    network: 'string',
    port_mappings: [PORT_MAPPING],
    privileged: 'boolean',
    parameters: [{ 'key!': 'string', 'value!': 'string' }],
    force_pull_image: 'boolean',
  },
  mesos: { image: { 'type!': 'string', docker: { 'name!': 'string' }, cached: 'boolean' } },
};

const DISCOVERY: Shape = {
  'visibility!': 'string',
  name: 'string',
  environment: 'string',
  location: 'string',
  version: 'string',
  ports: {
    ports: [
      { 'number!': 'number', name: 'string', protocol: 'string', visibility: 'string', labels: LABELS },
    ],
  },
  labels: LABELS,
};

const TASK_INFO: Shape = {
  'name!': 'string',
  'task_id!': ID,
  'agent_id!': ID,
  resources: [RESOURCE],
  command: COMMAND,
  executor: {
    type: 'string',
    'executor_id!': ID,
    framework_id: ID,
    command: COMMAND,
    resources: [RESOURCE],
    name: 'string',
    source: 'string',
    data: 'string',
    shutdown_grace_period: DURATION,
    container: CONTAINER,
  },
  container: CONTAINER,
  data: 'string',
  labels: LABELS,
  kill_policy: KILL_POLICY,
  health_check: HEALTH_CHECK,
  discovery: DISCOVERY,
};

const FRAMEWORK_INFO: Shape = {
  'user!': 'string',
  'name!': 'string',
  id: ID,
  failover_timeout: 'number',
  checkpoint: 'boolean',
  role: 'string',
  roles: ['string'],
  hostname: 'string',
  principal: 'string',
  webui_url: 'string',
  capabilities: [{ type: 'string' }],
  labels: LABELS,
};

const TASK_STATUS: Shape = {
  'task_id!': ID,
  'state!': 'string',
  message: 'string',
  source: 'string',
  reason: 'string',
  data: 'string',
  agent_id: ID,
  executor_id: ID,
  timestamp: 'number',
  uuid: 'string',
  healthy: 'boolean',
};

const PATTERN: Shape = { 'regex!': 'string' };
const OFFER_CONSTRAINTS: Shape = {
  role_constraints: {
    '*': {
      groups: [
        {
          attribute_constraints: [
            {
              'selector!': { attribute_name: 'string', pseudoattribute_type: 'string' },
              'predicate!': {
                exists: {},
                not_exists: {},
                text_equals: ID,
                text_not_equals: ID,
                text_matches: PATTERN,
                text_not_matches: PATTERN,
              },
            },
          ],
        },
      ],
    },
  },
};

const FILTERS: Shape = { refuse_seconds: 'number' };
const NAMED_TASK: Shape = { 'task_id!': ID, agent_id: ID };

export const SCHEDULER_CALL: Shape = {
  type: 'string',
  framework_id: ID,
  subscribe: {
    'framework_info!': FRAMEWORK_INFO,
    suppressed_roles: ['string'],
    offer_constraints: OFFER_CONSTRAINTS,
  },
  accept: {
    offer_ids: [ID],
    operations: [
      {
        type: 'string',
        id: ID,
        launch: { task_infos: [TASK_INFO] },
        reserve: { resources: [RESOURCE] },
        unreserve: { resources: [RESOURCE] },
        create: { volumes: [RESOURCE] },
        destroy: { volumes: [RESOURCE] },
      },
    ],
    filters: FILTERS,
  },
  decline: { offer_ids: [ID], filters: FILTERS },
  revive: { roles: ['string'] },
  suppress: { roles: ['string'] },
  kill: { 'task_id!': ID, agent_id: ID, kill_policy: KILL_POLICY },
  shutdown: { 'executor_id!': ID, agent_id: ID },
  acknowledge: { 'agent_id!': ID, 'task_id!': ID, 'uuid!': 'string' },
  reconcile: { tasks: [NAMED_TASK] },
  acknowledge_operation_status: { agent_id: ID, 'uuid!': 'string', 'operation_id!': ID },
  reconcile_operations: { operations: [{ 'operation_id!': ID, agent_id: ID }] },
  message: { 'agent_id!': ID, 'executor_id!': ID, 'data!': 'string' },
  update_framework: {
    'framework_info!': FRAMEWORK_INFO,
    suppressed_roles: ['string'],
    offer_constraints: OFFER_CONSTRAINTS,
  },
};

export const EXECUTOR_CALL: Shape = {
  type: 'string',
  executor_id: ID,
  framework_id: ID,
  subscribe: {
    unacknowledged_tasks: [TASK_INFO],
    unacknowledged_updates: [{ 'status!': TASK_STATUS }],
  },
  update: { 'status!': TASK_STATUS },
  message: { 'data!': 'string' },
};
