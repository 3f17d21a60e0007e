/** Holds each field of Marathon's apps and groups to what the table says: done, refused or listed. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, get, type Server, server } from '../../../../test/scheduler/api-server.ts';
import {
  MARATHON_FIELDS,
  type MarathonField,
  withFieldTable,
} from '../../../../test/scheduler/marathon-fields.ts';
import { isJson, type Json } from '../../../json.ts';

const ROOT = path.resolve(import.meta.dirname, '../../../..');
const BASE: Json = { id: '/walk', cmd: 'sleep 5' };
const DOCKER = { type: 'DOCKER', docker: { image: 'i' } };
const BRIDGED = { networks: [{ mode: 'container/bridge' }], container: { ...DOCKER, portMappings: [{}] } };
const MESOS = { container: { type: 'MESOS', docker: { image: 'i' } } };

/** The app in which a field has a meaning, by the beginning of the field's path; the first match counts. */
const CONTEXTS: readonly (readonly [prefix: string, fields: Json])[] = [
  ['args', { cmd: null, container: DOCKER }],
  [
    'container.docker.portMappings',
    { container: { type: 'DOCKER', docker: { image: 'i', network: 'BRIDGE' } } },
  ],
  [
    'container.docker.parameters',
    { container: { ...DOCKER, docker: { image: 'i', parameters: [{ key: 'domainname', value: 'a' }] } } },
  ],
  ['container.type', { container: { docker: { image: 'i' } } }],
  ['container.portMappings', BRIDGED],
  ...['containerPath', 'hostPath', 'mode'].map(
    (name) =>
      [
        `container.volumes[].${name}`,
        { container: { ...DOCKER, volumes: [{ containerPath: '/c', hostPath: '/h', mode: 'RW' }] } },
      ] as const,
  ),
  ...(
    [
      ['maxSize', { type: 'mount', size: 5 }],
      ['constraints', { type: 'path', size: 5 }],
      ['', { size: 5 }],
    ] as const
  ).map(
    ([name, persistent]) =>
      [
        `container.volumes[].persistent.${name}`,
        { container: { ...DOCKER, volumes: [{ containerPath: 'd', mode: 'RW', persistent }] } },
      ] as const,
  ),
  ['container.volumes', { container: { ...DOCKER, volumes: [{ containerPath: 'd', mode: 'RW' }] } }],
  ['container', { container: DOCKER }],
  ['networks[].mode', { container: DOCKER, networks: [{ name: 'm' }] }],
  ['networks', { container: DOCKER, networks: [{ mode: 'container', name: 'm' }] }],
  [
    'ipAddress.discovery',
    { ...MESOS, ipAddress: { networkName: 'm', discovery: { ports: [{ name: 'a' }] } } },
  ],
  ['ipAddress', { ...MESOS, ipAddress: { networkName: 'm' } }],
  ['fetch', { fetch: [{ uri: 'http://h/x' }] }],
  ['healthChecks[].command', { healthChecks: [{ protocol: 'COMMAND', command: { value: 'false' } }] }],
  ['healthChecks', { portDefinitions: [{}, {}], healthChecks: [{ protocol: 'MESOS_HTTP' }] }],
  ['readinessChecks', { portDefinitions: [{ name: 'web' }, { name: 'http-api' }], readinessChecks: [{}] }],
];

function contextOf({ field }: MarathonField): Json {
  return { ...BASE, ...CONTEXTS.find(([prefix]) => field.startsWith(prefix))?.[1] };
}

/** Volumes are refused for a scheduler with the role `*`. */
function serverFor({ field }: MarathonField): Server {
  return server({}, field.includes('.persistent.') ? 'databases' : '*');
}

/** `a[].*.b` as `['a', 0, 'NAME', 'b']`. */
function segmentsOf(field: string): (string | number)[] {
  return field
    .replaceAll('[]', '.0')
    .split('.')
    .map((part) => (part === '0' ? 0 : part === '*' ? 'NAME' : part));
}

function withValue(whole: unknown, [part, ...rest]: readonly (string | number)[], value: unknown): unknown {
  if (part === undefined) return value;
  if (typeof part === 'string') {
    const object = isJson(whole) ? whole : {};
    return { ...object, [part]: withValue(object[part], rest, value) };
  }
  const [first, ...others] = Array.isArray(whole) ? (whole as unknown[]) : [];
  return [withValue(first, rest, value), ...others];
}

function valueAt(whole: unknown, [part, ...rest]: readonly (string | number)[]): unknown {
  if (part === undefined) return whole;
  if (Array.isArray(whole)) return valueAt(whole[Number(part)], rest);
  return isJson(whole) ? valueAt(whole[String(part)], rest) : undefined;
}

/** `/a(0)/b` of an error as `['a', 0, 'b']`. */
function errorSegments(text: string): (string | number)[] {
  return [...text.matchAll(/\/([^/(]+)|\((\d+)\)/g)].map(([, name, i]) => name ?? Number(i));
}

/** @returns the first task of an app as it is sent to Mesos, with its data in readable form */
function launched({ mesos }: Server): string | undefined {
  const [task] = mesos.tasks.values();
  const { data, ...info } = task?.info ?? {};
  return task && JSON.stringify([info, data && Buffer.from(data, 'base64').toString()]);
}

async function launch(app: unknown, field: MarathonField): Promise<string | undefined> {
  const one = serverFor(field);
  await call(one, 'POST', '/v2/apps', app);
  await one.run();
  return launched(one);
}

/** The pure core without the declarations of the fields. */
const READERS = ['decide', 'domain']
  .map((folder) => path.join(ROOT, 'src/scheduler', folder))
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((f) => path.join(folder, f)),
  )
  .filter((f) => /(?<!\.test)\.ts$/.test(f) && !/(app-schema|legacy-fields|unheeded-fields)\.ts$/.test(f))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

const fieldsOf = (of: string, state: string) =>
  MARATHON_FIELDS.filter((one) => one.of === of && one.state === state).map(
    (one) => [one.field, one] as const,
  );

const WRONG: readonly (readonly [RegExp, unknown])[] = [
  [/^string/, {}],
  [/^(list|map)/, 'wrong'],
  [/^(number|integer|boolean|[A-Zobctr])/, 'wrong'],
];

describe('a field of an app that is done', () => {
  it.each(fieldsOf('app', 'done'))('%s is accepted, shown, and has an effect', async (field, one) => {
    const context = contextOf(one);
    const app = withValue(context, segmentsOf(field), one.value);
    const scheduler = serverFor(one);
    const answer = await call(scheduler, 'POST', '/v2/apps', app);
    expect([answer.statusCode, answer.json().details]).toEqual([201, undefined]);
    const shown = (await get(scheduler, '/v2/apps/walk?embed=app.warnings')).json().app;
    expect(shown.warnings).toEqual([]);
    const value = valueAt(shown, segmentsOf(one.shown ?? field));
    if (one.set) {
      expect(value).toBe('2023-11-14T22:13:20.000Z');
      return;
    }
    expect(value).toEqual(one.shows ?? one.value);
    await scheduler.run();
    const name = String(segmentsOf(one.shown ?? field).at(-1));
    const isRead = new RegExp(`\\b${name}\\b`).test(READERS);
    expect(isRead || launched(scheduler) !== (await launch(context, one))).toBe(true);
  });

  it.each(fieldsOf('app', 'done').filter(([, one]) => one.default !== undefined))(
    '%s has Marathon’s default',
    async (field, one) => {
      const at = segmentsOf(one.shown ?? field);
      const scheduler = serverFor(one);
      const parent = withValue(contextOf(one), segmentsOf(field), undefined);
      await call(scheduler, 'POST', '/v2/apps', parent);
      const shown = valueAt((await get(scheduler, '/v2/apps/walk')).json().app, at);
      expect(one.assigned ? Number(shown) >= 10_000 : shown).toEqual(one.assigned ? true : one.default);
    },
  );

  it.each(fieldsOf('app', 'done').filter(([, one]) => !one.set))(
    '%s is refused with a value of another type',
    async (field, one) => {
      const [, wrong] = WRONG.find(([type]) => type.test(one.type)) ?? [];
      const app = withValue(contextOf(one), segmentsOf(field), wrong);
      const answer = await call(serverFor(one), 'POST', '/v2/apps', app);
      expect([answer.statusCode, answer.json().message]).toEqual([422, 'Object is not valid']);
    },
  );
});

describe('a field of an app that is refused', () => {
  it.each(fieldsOf('app', 'refused'))('%s is answered with 422 and named', async (field, one) => {
    const answer = await call(
      serverFor(one),
      'POST',
      '/v2/apps',
      withValue(contextOf(one), segmentsOf(field), one.value),
    );
    const named = answer.json().details.map((detail: { path: string }) => errorSegments(detail.path));
    expect(answer.statusCode).toBe(422);
    // The object around the field may be named instead, if all of it is refused.
    expect(named).toHaveLength(1);
    expect(segmentsOf(field).slice(0, named[0].length)).toEqual(named[0]);
  });
});

describe('a field of an app that is listed', () => {
  it.each(fieldsOf('app', 'listed'))('%s is accepted with a warning that names it', async (field, one) => {
    const scheduler = serverFor(one);
    const app = withValue(contextOf(one), segmentsOf(field), one.value);
    expect((await call(scheduler, 'POST', '/v2/apps', app)).statusCode).toBe(201);
    const { warnings } = (await get(scheduler, '/v2/apps/walk?embed=app.warnings')).json().app;
    const named = warnings.map((warning: { path: string }) => errorSegments(warning.path));
    expect(named).toHaveLength(1);
    expect(segmentsOf(field).slice(0, named[0].length)).toEqual(named[0]);
  });
});

describe('a field of a group', () => {
  const PATH = '/v2/groups/walk';

  it.each(fieldsOf('group', 'done'))('%s that is done is accepted and shown', async (field, one) => {
    const scheduler = server();
    await call(scheduler, 'PUT', PATH, { id: '/walk', apps: [{ id: 'old', cmd: 'sleep 5', instances: 1 }] });
    const body = field === 'scaleBy' ? { scaleBy: one.value } : { id: '/walk', [field]: one.value };
    const answer = await call(scheduler, 'PUT', `${PATH}?force=true`, body);
    expect([answer.statusCode, answer.json().details]).toEqual([200, undefined]);
    const shown = (await get(scheduler, PATH)).json();
    if (field === 'scaleBy') expect(shown.apps[0].instances).toBe(one.value);
    else expect({ [field]: shown[field] }).toMatchObject({ [field]: one.shows ?? one.value });
  });

  it.each(fieldsOf('group', 'refused'))(
    '%s that is refused is answered with 422 and named',
    async (field, one) => {
      const answer = await call(server(), 'PUT', PATH, { [field]: one.value });
      expect([answer.statusCode, answer.json().details]).toMatchObject([422, [{ path: `/${field}` }]]);
    },
  );
});

it('is in the table of docs/scheduler-api.md; run npm run docs if not', () => {
  const page = readFileSync(path.join(ROOT, 'docs/scheduler-api.md'), 'utf8');
  expect(withFieldTable(page)).toBe(page);
});
