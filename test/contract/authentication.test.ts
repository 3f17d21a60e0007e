/** A master that requires credentials, with the texts of the transcripts. An embedded master is started for this. */

import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { basicAuthorization } from '../../src/mesos/http.ts';
import { createSchedulerSession } from '../../src/mesos/scheduler-session.ts';
import type { SchedulerEvent } from '../../src/mesos/types.ts';
import { Inbox } from '../support/inbox.ts';
import { describeEmbedded, type Embedded, startEmbedded, stopEmbedded } from './support/embedded.ts';
import { frameworkInfo, SCHEDULER_PATH, unique } from './support/framework.ts';
import { get, post } from './support/mesos.ts';

const credential = { principal: 'mesosup', secret: 'sesame' };
const isReal = inject('embedded') === null;

/** A recorded answer: status, headers in lower case, body. */
function recorded(name: string): { status: number; headers: Record<string, string>; body: string } {
  const text = readFileSync(new URL(`../fixtures/mesos/${name}`, import.meta.url), 'utf8').replaceAll(
    '\r',
    '',
  );
  const [head = '', body = ''] = text.split('\n\n');
  const [first = '', ...lines] = head.split('\n');
  const headers = lines.map((line) => [line.split(':')[0]?.toLowerCase(), line.slice(line.indexOf(':') + 2)]);
  return { status: Number(first.split(' ')[1]), headers: Object.fromEntries(headers), body };
}

let closed: Embedded;

beforeEach((context) => {
  context.skip(
    isReal,
    'needs a master with --authenticate_http_frameworks; tried with the embedded one only',
  );
});

beforeAll(async () => {
  if (isReal) return;
  closed = await describeEmbedded(join(tmpdir(), unique('mesosup-contract-closed')));
  const file = join(closed.directory, 'credentials.json');
  await writeFile(file, JSON.stringify({ credentials: [credential] }), { mode: 0o600 });
  closed.masterFlags.push(
    '--authenticate_http_frameworks',
    '--http_framework_authenticators=basic',
    '--authenticate_http_readonly',
    `--credentials=${file}`,
  );
  await startEmbedded(closed, 'master');
});

afterAll(async () => {
  if (closed) await stopEmbedded(closed);
});

const subscribe = (principal: string) => ({
  type: 'SUBSCRIBE',
  subscribe: { framework_info: frameworkInfo({ principal }) },
});

describe('a master that authenticates frameworks', () => {
  it.each([
    ['no credentials', {}],
    ['a wrong secret', { Authorization: basicAuthorization({ ...credential, secret: 'wrong' }) }],
    ['an unknown principal', { Authorization: basicAuthorization({ ...credential, principal: 'nobody' }) }],
  ])('answers 401 to %s', async (_, headers) => {
    const answer = await post(closed.master, SCHEDULER_PATH, subscribe('mesosup'), headers);
    const real = recorded('unauthorized-401.txt');
    expect(answer).toMatchObject({
      status: real.status,
      text: real.body,
      headers: {
        'www-authenticate': real.headers['www-authenticate'],
        'content-type': real.headers['content-type'],
      },
    });
  });

  it("refuses credentials that are not the framework's principal", async () => {
    const headers = { Authorization: basicAuthorization(credential) };
    const answer = await post(closed.master, SCHEDULER_PATH, subscribe('other'), headers);
    const real = recorded('wrong-principal.txt');
    expect({ status: answer.status, text: answer.text }).toEqual({ status: real.status, text: real.body });
  });

  it('accepts a session with the right credentials, and its calls', async () => {
    const events = new Inbox<SchedulerEvent>();
    const lost = new Inbox<string>();
    const session = createSchedulerSession({
      detect: async () => closed.master,
      framework: () => frameworkInfo({ principal: 'mesosup' }),
      suppressedRoles: () => [],
      credential,
      onEvent: events.put,
      onDisconnected: lost.put,
    });
    session.start();
    expect((await events.next()).type).toBe('SUBSCRIBED');
    await session.call({ type: 'TEARDOWN' });
    await session.stop();
  });

  it('requires no credentials for /health and /version, but for /state', async () => {
    expect((await get(closed.master, '/health')).status).toBe(200);
    expect((await get(closed.master, '/version')).status).toBe(200);
    expect((await get(closed.master, '/state')).status).toBe(401);
  });
});
