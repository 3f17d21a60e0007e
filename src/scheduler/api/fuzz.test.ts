import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { call, type Server, server } from '../../../test/scheduler/api-server.ts';
import { runs } from '../../../test/support/runs.ts';
import { readEvent } from '../domain/stored-events.ts';

/** Sends random requests to every route: none may crash the scheduler or cause an internal error. */

const ROUTES = [
  ...[
    '/ping',
    '/metrics',
    '/metrics/prometheus',
    '/v1/apps',
    '/v1/apps/search',
    '/v1/tasks',
    '/v1/endpoints',
  ],
  ...['/v1/apps/start', '/v1/apps/stop', '/v1/apps/scale', '/v1/tasks/kill', '/v1/apps/ID/tasks'],
  ...['/v1/endpoints/ID', '/v1/debug/isLeader', '/v1/debug/leaderUrl', '/v2/apps', '/v2/apps/ID'],
  ...[
    '/v2/apps/ID/*',
    '/v2/apps/ID/restart',
    '/v2/apps/ID/tasks',
    '/v2/apps/ID/tasks/ID',
    '/v2/apps/ID/versions',
  ],
  ...['/v2/apps/ID/versions/ID', '/v2/tasks', '/v2/tasks/delete', '/v2/deployments', '/v2/deployments/ID'],
  ...['/v2/groups', '/v2/groups/ID', '/v2/groups/ID/apps', '/v2/groups/ID/versions/ID', '/v2/queue'],
  ...['/v2/queue/ID/delay', '/v2/info', '/v2/leader', '/v2/eventSubscriptions', '/v2/pods', '/v2/openapi'],
  ...['/v2/openapi.json', '/v2/tasks/ID/exec', '/v2/exec/ID', '/', '/v3', '/ID'],
];

const word = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'a/b',
    'g',
    'g/a',
    'multidis',
    '/',
    '',
    '.',
    '..',
    '*',
    'tasks',
    'versions',
    'restart',
  ),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toString',
    '%',
    '%00',
    '%ff',
    '%2e%2e%2f',
    '😀',
    'A_b',
    'x'.repeat(520),
  ),
  fc.string({ maxLength: 12 }),
);
const scalar = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    0,
    -1,
    1,
    1.5,
    1e300,
    '',
    '1',
    '0x1',
    'x',
    '/a',
    'sleep 1',
    '//cmd',
    '(a+)+\\1',
  ),
  fc.double(),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const FIELDS = [
  ...['id', 'cmd', 'args', 'user', 'env', 'labels', 'instances', 'cpus', 'mem', 'disk', 'gpus', 'executor'],
  ...[
    'constraints',
    'fetch',
    'uris',
    'ports',
    'acceptedResourceRoles',
    'role',
    'container',
    'networks',
    'ipAddress',
  ],
  ...[
    'portDefinitions',
    'requirePorts',
    'healthChecks',
    'readinessChecks',
    'dependencies',
    'upgradeStrategy',
  ],
  ...[
    'killSelection',
    'taskKillGracePeriodSeconds',
    'backoffSeconds',
    'unreachableStrategy',
    'mode',
    'version',
  ],
  ...[
    'apps',
    'groups',
    'scaleBy',
    'ids',
    'docker',
    'image',
    'type',
    'portMappings',
    'volumes',
    'protocol',
    'name',
  ],
  ...[
    'progressDeadlineSeconds',
    'maxFailures',
    'taskRateLimit',
    '__proto__',
    'constructor',
    'port',
    'command',
    'path',
  ],
];
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...FIELDS), tie('tree'), { maxKeys: 6 }),
  ),
}));
/** Mostly valid apps, so that they get past the schema. */
const app = fc
  .tuple(
    fc.constantFrom('a', 'b', '/g/a', '/g/h/b'),
    fc.dictionary(fc.constantFrom(...FIELDS), tree, { maxKeys: 2 }),
  )
  .map(([id, more]) => ({ id, cmd: 'sleep 1', cpus: 0.1, mem: 16, ...more }));
const body = fc.oneof(
  fc.constant(undefined),
  app,
  fc.array(app, { maxLength: 3 }),
  fc.record({ id: fc.constantFrom('/g', 'g', '/'), apps: fc.array(app, { maxLength: 3 }) }),
  fc.record({ ids: fc.array(word, { maxLength: 5 }) }),
  tree,
  fc.json().map((text) => text.slice(0, -1)),
  fc.string({ unit: 'binary', maxLength: 50 }),
  // A short placeholder for printing; `sent` expands it.
  fc.constantFrom(10, 400, 20_000).map((depth) => ({ nested: depth })),
);
const QUERIES = [
  ...[
    'force',
    'dryRun',
    'partialUpdate',
    'scale',
    'wipe',
    'host',
    'id',
    'cmd',
    'label',
    'embed',
    'limit',
    'cursor',
  ],
  ...['fields', 'status', 'status[]', 'appId', 'callbackUrl', '__proto__'],
];
const EMBEDS = [
  'apps.tasks',
  'app.tasks',
  'group.apps',
  'group.groups',
  'apps.taskStats',
  'connected',
  'true',
];
const query = fc.array(
  fc.tuple(fc.constantFrom(...QUERIES), fc.oneof(fc.constantFrom(...EMBEDS, 'false', '*', '1'), word)),
  { maxLength: 3 },
);
const ACCEPTS = ['text/plain', 'application/json', '*/*', '', 'a'.repeat(200), 'text/event-stream'];
const headers = fc.record({
  accept: fc.constantFrom(...ACCEPTS),
  'accept-encoding': fc.constantFrom('gzip', '', 'gzip;q=x'),
  'content-type': fc.constantFrom(
    'application/json',
    'text/plain',
    '',
    'multipart/form-data; boundary=',
    '\u00e9',
  ),
  'if-none-match': fc.constantFrom('', '*', '"x"', ',,,'),
});
const someRequest = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
  route: fc.constantFrom(...ROUTES),
  ids: fc.array(word, { minLength: 2, maxLength: 2 }),
  query,
  body,
  headers,
});

let slowestMs = 0;
let slowest = '';

async function ask(
  one: Server,
  asked: typeof someRequest extends fc.Arbitrary<infer T> ? T : never,
): Promise<void> {
  const [first = '', second = ''] = asked.ids;
  const path = asked.route.replace('ID', () => urlPart(first)).replace('ID', () => urlPart(second));
  const search = asked.query.map(([name, value]) => `${name}=${urlPart(value)}`).join('&');
  const url = `${path}${search === '' ? '' : `?${search}`}`;
  const begin = performance.now();
  const answer = await call(one, asked.method, url, sent(asked.body), asked.headers);
  const took = performance.now() - begin;
  if (took > slowestMs) {
    slowestMs = took;
    slowest = `${asked.method} ${url.slice(0, 100)}`;
  }
  expect(answer.statusCode, `${asked.method} ${url}: ${answer.body.slice(0, 300)}`).toBeLessThan(500);
  expect(one.faults).toEqual([]);
  if (answer.statusCode < 400 || asked.method === 'HEAD') return;
  // Every refusal has a machine-readable reason.
  if (answer.headers['content-type'] === 'application/json') expect(answer.json()).toBeTypeOf('object');
  else expect(answer.headers['content-type']).toBe('text/plain');
}

function sent(given: unknown): unknown {
  if (typeof given !== 'object' || given === null || !('nested' in given)) return given;
  const depth = Number(given.nested);
  return `{"id":"/x","apps":[],"env":${'{"a":'.repeat(depth)}1${'}'.repeat(depth + 1)}`;
}

/** Encodes a part of a URL as clients do: encoded parts stay unchanged. */
function urlPart(text: string): string {
  return text.toWellFormed().replaceAll(/[^\w%./*~-]/gu, encodeURIComponent);
}

const REQUESTS_IN_RUN = 50;
/** Memory that may stay in use after many requests: versions, events for reconnecting listeners, compiled code. */
const MAX_GROWTH_MIB = 64;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** @returns MiB in use after garbage collection */
function heap(): number {
  collectGarbage();
  return Math.round(process.memoryUsage().heapUsed / 2 ** 20);
}

it('answers every request, without leaking memory', { timeout: 0 }, async () => {
  const one = server();
  let asked = 0;
  let before = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(someRequest, { minLength: REQUESTS_IN_RUN, maxLength: REQUESTS_IN_RUN }),
      async (requests) => {
        await call(one, 'DELETE', '/v2/groups?force=true');
        for (const [i, each] of requests.entries()) {
          // Mesos continues meanwhile.
          if (i % 10 === 0) await one.run();
          await ask(one, each);
          asked += 1;
        }
        // The next scheduler must be able to read all accepted changes.
        for (const event of one.disk.splice(0)) {
          const stored = JSON.parse(JSON.stringify(event));
          expect(readEvent(stored)).toEqual(stored);
        }
        if (asked === 5 * REQUESTS_IN_RUN) before = heap();
      },
    ),
    { numRuns: runs(20), endOnFailure: true },
  );
  const after = heap();
  console.info(
    `${asked} requests; the slowest, ${slowest}, took ${slowestMs.toFixed(0)} ms; heap ${before} MiB, then ${after} MiB`,
  );
  expect(after - before).toBeLessThan(MAX_GROWTH_MIB);
});
