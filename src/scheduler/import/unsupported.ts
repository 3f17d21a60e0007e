/** Finds the fields of a Marathon app that this scheduler would lose. */

import { isJson, type Json } from '../../json.ts';
import { appSchema } from '../domain/app-schema.ts';
import { fieldErrors } from '../domain/field-errors.ts';

/** A field that is left out, with the reason. */
interface LostField {
  readonly field: string;
  readonly why: string;
}

/** Reasons by field, with `[]` for an index; the first match counts. */
const REASONS: readonly (readonly [field: RegExp, why: string])[] = [
  [/^secrets/, 'are not supported: put the value into env, or fetch a file'],
  [/^residency/, 'is not supported: there are no persistent volumes'],
  [/^check$/, 'is not supported: use healthChecks or readinessChecks'],
  [/^executorResources/, 'is ignored: the scheduler sets the resources of the executor'],
  [/^resourceLimits/, 'is not supported: cpus and mem are the limits'],
  [/^tty/, 'is not supported'],
  [/^ipAddress/, 'is not supported: only networkName is used'],
  [/^networks\[\]\.labels/, 'are not supported'],
  [/\.networkNames/, 'is ignored: ports are mapped in all networks of the container'],
  [/\.credential/, 'is ignored: log in to the registry with Docker on the agents'],
  [/^container\.volumes\[\]/, 'is not supported: only host volumes are'],
  [/\.ipProtocol/, 'is ignored: checks use IPv4'],
];
const UNKNOWN = 'is not a known field';

/** True for a value that means the same as an absent field. */
function isEmptyValue(value: unknown, field: string): boolean {
  if (value === null || value === undefined || value === false || value === '') return true;
  if (field.endsWith('.ipProtocol')) return value === 'IPv4';
  if (Array.isArray(value)) return value.every((one) => isEmptyValue(one, field));
  return typeof value === 'object' && Object.values(value).every((one) => isEmptyValue(one, field));
}

/** Removes the fields that take their value from a secret. */
export function withoutSecrets(app: Json): { app: Json; secrets: LostField[] } {
  const pulled = withoutPullConfig(app);
  const { app: rest, secrets } = withoutSecretVariables(pulled.app);
  return { app: rest, secrets: [...secrets, ...pulled.secrets] };
}

function withoutPullConfig(app: Json): { app: Json; secrets: LostField[] } {
  const docker = isJson(app.container) ? app.container.docker : undefined;
  if (!isJson(app.container) || !isJson(docker) || docker.pullConfig === undefined)
    return { app, secrets: [] };
  const { pullConfig, ...rest } = docker;
  const why =
    'takes the credentials from a secret, which is not supported: put them into registries of ' +
    '/etc/mesosup/executor.json on the agents';
  const secrets = pullConfig === null ? [] : [{ field: 'container.docker.pullConfig', why }];
  return { app: { ...app, container: { ...app.container, docker: rest } }, secrets };
}

function withoutSecretVariables(app: Json): { app: Json; secrets: LostField[] } {
  if (!isJson(app.env)) return { app, secrets: [] };
  const taken = Object.entries(app.env).filter(([, value]) => isJson(value) && 'secret' in value);
  const names = new Set(taken.map(([name]) => name));
  const env = Object.fromEntries(Object.entries(app.env).filter(([name]) => !names.has(name)));
  const why = 'takes its value from a secret, which is not supported: set the value';
  return { app: { ...app, env }, secrets: [...names].map((name) => ({ field: `env.${name}`, why })) };
}

/**
 * @param modern the app with current field names
 * @param app the app as Marathon shows it
 */
export function findUnsupported(modern: unknown, app: Json): LostField[] {
  const { networkName: _, ...address } = isJson(app.ipAddress) ? app.ipAddress : {};
  return [
    ...findLostFields(modern, parseKeptFields(modern), ''),
    ...findLostFields({ ipAddress: address }, { ipAddress: {} }, ''),
  ];
}

/** Parses an app with the schema; if it has invalid fields, without those. */
function parseKeptFields(modern: unknown): unknown {
  if (!isJson(modern)) return modern;
  const parsed = appSchema.safeParse(modern);
  if (parsed.success) return parsed.data;
  const wrong = new Set(fieldErrors(parsed.error).map(({ path }) => String(path[0])));
  const rest = Object.fromEntries(Object.entries(modern).filter(([name]) => !wrong.has(name)));
  const again = appSchema.safeParse({ ...rest, id: '/x' });
  const faulty = Object.fromEntries(Object.entries(modern).filter(([name]) => wrong.has(name)));
  // Kept, since the problems of these fields are reported already.
  return { ...(again.success ? again.data : rest), ...faulty };
}

/** @returns the fields of `sent` that are missing in `kept` */
function findLostFields(sent: unknown, kept: unknown, at: string): LostField[] {
  if (Array.isArray(sent) && Array.isArray(kept)) {
    return sent.flatMap((one, i) => findLostFields(one, kept[i], `${at}[${i}]`));
  }
  if (!isJson(sent) || !isJson(kept)) return [];
  return Object.entries(sent).flatMap(([name, value]) => {
    const field = at === '' ? name : `${at}.${name}`;
    if (name in kept) return findLostFields(value, kept[name], field);
    return isEmptyValue(value, field) ? [] : [{ field, why: reasonFor(field) }];
  });
}

function reasonFor(field: string): string {
  const general = field.replaceAll(/\[\d+\]/g, '[]');
  return REASONS.find(([pattern]) => pattern.test(general))?.[1] ?? UNKNOWN;
}
