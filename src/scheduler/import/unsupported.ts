/** What an app of Marathon's says that the app made of it would not. */

import { appSchema } from '../domain/app-schema.ts';
import { fieldErrors } from '../domain/field-errors.ts';
import { isJson, type Json } from '../domain/json.ts';

/** A field, and why it is left out. */
interface LostField {
  readonly field: string;
  readonly why: string;
}

/** By the field, with `[]` for the place in a list; the first that fits says why. */
const REASONS: readonly (readonly [field: RegExp, why: string])[] = [
  [/^secrets/, 'secrets are not supported: put the value into env, or fetch a file'],
  [/^residency/, 'persistent volumes are not supported'],
  [/^check$/, 'checks that only report a result are not supported: use healthChecks or readinessChecks'],
  [/^executorResources/, 'the resources of the executor are set by the scheduler'],
  [/^resourceLimits/, 'limits above cpus and mem are not supported'],
  [/^tty/, 'tasks have no terminal'],
  [/^ipAddress/, 'only networkName of ipAddress is used: labels and groups of networks are not supported'],
  [/^networks\[\]\.labels/, 'labels of networks are ignored'],
  [/\.networkNames/, 'ports are mapped in all networks of the container'],
  [
    /\.(pullConfig|credential)/,
    'images are pulled with the credentials of the agent: log in with Docker there',
  ],
  [/^container\.linuxInfo/, 'Docker sets its own limits; see docker.parameters'],
  [/^container\.volumes\[\]/, 'only host volumes are supported'],
  [/\.ipProtocol/, 'checks use IPv4'],
  [/\.destPath/, 'fetched files keep their names in the sandbox'],
];
const UNKNOWN = 'is not a known field';

/** A value that Marathon shows, but that says no more than its absence. */
function isEmptyValue(value: unknown, field: string): boolean {
  if (value === null || value === undefined || value === false || value === '') return true;
  if (field.endsWith('.ipProtocol')) return value === 'IPv4';
  if (Array.isArray(value)) return value.every((one) => isEmptyValue(one, field));
  return typeof value === 'object' && Object.values(value).every((one) => isEmptyValue(one, field));
}

/** Variables that take a secret's value can't be set. */
export function withoutSecrets(app: Json): { app: Json; secrets: LostField[] } {
  if (!isJson(app.env)) return { app, secrets: [] };
  const taken = Object.entries(app.env).filter(([, value]) => isJson(value) && 'secret' in value);
  const names = new Set(taken.map(([name]) => name));
  const env = Object.fromEntries(Object.entries(app.env).filter(([name]) => !names.has(name)));
  const why = 'takes its value from a secret, which is not supported: set the value';
  return { app: { ...app, env }, secrets: [...names].map((name) => ({ field: `env.${name}`, why })) };
}

/**
 * @param modern the app by the names of today
 * @param app as Marathon has it
 */
export function findUnsupported(modern: unknown, app: Json): LostField[] {
  const { networkName: _, ...address } = isJson(app.ipAddress) ? app.ipAddress : {};
  return [
    ...findLostFields(modern, parseKeptFields(modern), ''),
    ...findLostFields({ ipAddress: address }, { ipAddress: {} }, ''),
  ];
}

/** What the schema makes of an app; of one with faults, without the fields that have them. */
function parseKeptFields(modern: unknown): unknown {
  if (!isJson(modern)) return modern;
  const parsed = appSchema.safeParse(modern);
  if (parsed.success) return parsed.data;
  const wrong = new Set(fieldErrors(parsed.error).map(({ path }) => String(path[0])));
  const rest = Object.fromEntries(Object.entries(modern).filter(([name]) => !wrong.has(name)));
  const again = appSchema.safeParse({ ...rest, id: '/x' });
  const faulty = Object.fromEntries(Object.entries(modern).filter(([name]) => wrong.has(name)));
  // What is wrong is told already.
  return { ...(again.success ? again.data : rest), ...faulty };
}

/** What is in one and not in the other, by the fields' names. */
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
