/** Definitions of apps, and what a form shows of them. A form changes only its fields, and keeps all others (pure). */

import { isJson, type Json } from '../../json.ts';

/** Fields of answers that are no part of the definition. */
const ANSWERED: ReadonlySet<string> = new Set([
  ...['version', 'versionInfo', 'deployments', 'tasks', 'tasksStaged', 'tasksRunning', 'tasksHealthy'],
  ...['tasksUnhealthy', 'readinessCheckResults', 'lastTaskFailure', 'taskStats', 'warnings'],
]);

/** The definition in an answer, without empty lists, objects and texts. Zeros are kept: a default may be another number. */
export function definitionOf(app: Json): Json {
  return Object.fromEntries(
    Object.entries(app).filter(([name, value]) => !ANSWERED.has(name) && !hasNothing(value)),
  );
}

/** True of null, and of an empty text, list or object. */
export function hasNothing(value: unknown): boolean {
  if (isJson(value)) return Object.keys(value).length === 0;
  return value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** The start of a new app. */
export function newDefinition(group: string | undefined): Json {
  return { id: group === undefined ? '/' : `${group}/`, instances: 1, cpus: 0.1, mem: 64 };
}

export const CHECKS = ['none', 'HTTP', 'TCP', 'COMMAND'] as const;
export type Check = (typeof CHECKS)[number];

/** The values of the form. Undefined: not set. */
export interface FormValues {
  readonly id: string;
  readonly image: string;
  readonly cmd: string;
  readonly instances: number | undefined;
  readonly cpus: number | undefined;
  readonly mem: number | undefined;
  readonly disk: number | undefined;
  /** `80, 53/udp`: ports of the container. */
  readonly ports: string;
  /** `NAME=value` in each line. */
  readonly env: string;
  readonly labels: string;
  /** `other`: several checks, or a kind that the form does not know. */
  readonly check: Check | 'other';
  /** The path of a check by HTTP, or the command. */
  readonly checkTarget: string;
}

export function formOf(definition: Json): FormValues {
  const docker = jsonAt(jsonAt(definition.container).docker);
  const [check, checkTarget] = checkOf(definition.healthChecks);
  return {
    id: text(definition.id),
    image: text(docker.image),
    cmd: text(definition.cmd),
    instances: number(definition.instances),
    cpus: number(definition.cpus),
    mem: number(definition.mem),
    disk: number(definition.disk),
    ports: portsOf(definition.container),
    env: linesOf(definition.env),
    labels: linesOf(definition.labels),
    check,
    checkTarget,
  };
}

/** Changes fields of the definition. */
export function withForm(definition: Json, change: Partial<FormValues>): Json {
  return (Object.keys(change) as (keyof FormValues)[]).reduce(
    (all, name) => withField(all, name, { ...formOf(all), ...change }),
    definition,
  );
}

function withField(definition: Json, name: keyof FormValues, values: FormValues): Json {
  const value = values[name];
  switch (name) {
    case 'image':
      return withImage(definition, values.image);
    case 'ports':
      return withPorts(definition, values.ports);
    case 'env':
    case 'labels':
      return set(definition, name, mapOf(values[name], definition[name]));
    case 'check':
    case 'checkTarget':
      return withCheck(definition, values);
    default:
      return set(definition, name, value === '' ? undefined : value);
  }
}

function withImage(definition: Json, image: string): Json {
  const container = jsonAt(definition.container);
  const docker = set(jsonAt(container.docker), 'image', image === '' ? undefined : image);
  const rest = set(container, 'docker', hasNothing(docker) ? undefined : docker);
  return set(definition, 'container', hasNothing(rest) ? undefined : rest);
}

function portsOf(container: unknown): string {
  const mappings = jsonAt(container).portMappings;
  if (!Array.isArray(mappings)) return '';
  return mappings
    .filter(isJson)
    .map(({ containerPort, protocol }) =>
      protocol === 'udp' ? `${containerPort}/udp` : String(containerPort),
    )
    .join(', ');
}

/** Keeps what the form does not show of mappings, such as their host ports. */
function withPorts(definition: Json, ports: string): Json {
  const container = jsonAt(definition.container);
  const before = Array.isArray(container.portMappings) ? container.portMappings.filter(isJson) : [];
  const mappings = ports
    .split(/[\s,]+/)
    .filter((one) => one !== '')
    .map((one, i) => {
      const [port, protocol] = one.split('/');
      const containerPort = /^\d+$/.test(port ?? '') ? Number(port) : port;
      return {
        ...before[i],
        containerPort,
        ...(protocol === undefined ? { protocol: undefined } : { protocol }),
      };
    })
    .map(withoutUndefined);
  const isEmptyNow = mappings.length === 0;
  const next = set(container, 'portMappings', isEmptyNow ? undefined : mappings);
  const withNetwork =
    !isEmptyNow && hasNothing(definition.networks ?? null)
      ? { ...definition, networks: [{ mode: 'container/bridge' }] }
      : definition;
  return set(withNetwork, 'container', hasNothing(next) ? undefined : next);
}

function linesOf(map: unknown): string {
  return Object.entries(jsonAt(map))
    .filter(([, value]) => typeof value === 'string')
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
}

/** Values that are no texts are kept: lines can't show them. */
function mapOf(lines: string, before: unknown): Json | undefined {
  const kept = Object.entries(jsonAt(before)).filter(([, value]) => typeof value !== 'string');
  const read = lines
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const at = line.indexOf('=');
      return at < 0 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1)];
    });
  const map = Object.fromEntries([...read, ...kept]);
  return hasNothing(map) ? undefined : map;
}

function checkOf(checks: unknown): [FormValues['check'], string] {
  if (!Array.isArray(checks) || checks.length === 0) return ['none', ''];
  const one: unknown = checks[0];
  if (checks.length > 1 || !isJson(one)) return ['other', ''];
  const protocol = text(one.protocol) || 'HTTP';
  if (/^(MESOS_)?HTTP$/.test(protocol)) return ['HTTP', text(one.path)];
  if (/^(MESOS_)?TCP$/.test(protocol)) return ['TCP', ''];
  if (protocol === 'COMMAND') return ['COMMAND', text(jsonAt(one.command).value)];
  return ['other', ''];
}

function withCheck(definition: Json, { check, checkTarget }: FormValues): Json {
  if (check === 'other') return definition;
  if (check === 'none') return set(definition, 'healthChecks', undefined);
  const [kind] = checkOf(definition.healthChecks);
  const before =
    kind === check && Array.isArray(definition.healthChecks) ? jsonAt(definition.healthChecks[0]) : {};
  const { path: _path, command: _command, ...rest } = before;
  const own =
    check === 'HTTP'
      ? { path: checkTarget || '/' }
      : check === 'COMMAND'
        ? { command: { value: checkTarget } }
        : {};
  return { ...definition, healthChecks: [{ protocol: check, ...rest, ...own }] };
}

function set(json: Json, name: string, value: unknown): Json {
  if (value !== undefined) return { ...json, [name]: value };
  const { [name]: _removed, ...rest } = json;
  return rest;
}

function withoutUndefined(json: Json): Json {
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== undefined));
}

function jsonAt(value: unknown): Json {
  return isJson(value) ? value : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** The form's field that shows a field of the definition; undefined if only the JSON shows it. */
export function formFieldOf(field: string): keyof FormValues | undefined {
  const known: readonly (readonly [string, keyof FormValues])[] = [
    ['container.docker.image', 'image'],
    ['container.portMappings', 'ports'],
    ['networks', 'ports'],
    ['healthChecks', 'check'],
    ['env', 'env'],
    ['labels', 'labels'],
    ['id', 'id'],
    ['cmd', 'cmd'],
    ['instances', 'instances'],
    ['cpus', 'cpus'],
    ['mem', 'mem'],
    ['disk', 'disk'],
  ];
  return known.find(
    ([name]) => field === name || field.startsWith(`${name}.`) || field.startsWith(`${name}[`),
  )?.[1];
}
