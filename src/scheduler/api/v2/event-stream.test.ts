import { once } from 'node:events';
import { request as httpRequest, IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, connect, Socket } from 'node:net';
import { expect, it, vi } from 'vitest';
import { account, asUser } from '../../../../test/scheduler/accounts.ts';
import {
  call,
  closing,
  get,
  PAGE,
  post,
  type Server,
  server,
} from '../../../../test/scheduler/api-server.ts';
import { EventStreams } from './event-stream.ts';

async function portOf(one: Server): Promise<number> {
  if (!one.api.server.listening) await one.api.listen({ host: '127.0.0.1', port: 0 });
  return (one.api.server.address() as AddressInfo).port;
}

interface Heard {
  event: string;
  data: Record<string, unknown>;
  id: string;
}

interface Listener {
  readonly answer: IncomingMessage;
  readonly heard: Heard[];
  readonly text: () => string;
  leave(): void;
}

async function listening(one: Server, query = '', headers: Record<string, string> = {}): Promise<Listener> {
  const port = await portOf(one);
  const outgoing = httpRequest({ host: '127.0.0.1', port, path: `/v2/events${query}`, headers }).end();
  outgoing.on('error', () => {});
  const leave = () => outgoing.destroy();
  closing.unshift(async () => leave());
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  let text = '';
  const heard: Heard[] = [];
  answer.on('error', () => {});
  answer.on('data', (chunk) => {
    text += String(chunk);
    heard.length = 0;
    for (const block of text.split('\n\n').slice(0, -1)) {
      const match = /^event: (.*)\ndata: (.*)\nid: (.*)$/.exec(block);
      if (match) heard.push({ event: match[1] ?? '', data: JSON.parse(match[2] ?? ''), id: match[3] ?? '' });
    }
  });
  return { answer, heard, text: () => text, leave };
}

function names({ heard }: Listener): string[] {
  return heard.map(({ event }) => event);
}

it('hides values of environment variables from viewers, also after a resume', async () => {
  const one = server({ accounts: [account('o', 'operator', 'o'), account('v', 'viewer', 'v')] });
  const viewer = await listening(one, '', asUser('v', 'v'));
  const operator = await listening(one, '', asUser('o', 'o'));
  const app = { id: '/x', cmd: 'x', env: { A: 'hidden-value', B: '' } };
  await call(one, 'POST', '/v2/apps', app, asUser('o', 'o'));
  await vi.waitFor(() => expect(names(viewer)).toContain('deployment_info'));
  await vi.waitFor(() => expect(operator.text()).toContain('hidden-value'));
  const lastEventId = { 'last-event-id': viewer.heard[0]?.id ?? '' };
  const resumed = await listening(one, '', { ...asUser('v', 'v'), ...lastEventId });
  await vi.waitFor(() => expect(names(resumed)).toContain('deployment_info'));
  for (const stream of [viewer, resumed]) {
    expect(stream.text()).not.toContain('hidden-value');
    const made = stream.heard.find(({ event }) => event === 'api_post_event');
    expect(made?.data).toMatchObject({ appDefinition: { env: { A: '********', B: '********' } } });
  }
});

it('sends events about changes of tasks', async () => {
  const one = server();
  const stream = await listening(one, '?event_type=status_update_event&event_type=other');
  expect(stream.answer.headers['content-type']).toBe('text/event-stream');
  await post(one, '/v1/apps/start', { ...PAGE, instances: 1 });
  await one.run();
  await vi.waitFor(() => expect(stream.heard).toHaveLength(1));
  expect(stream.heard[0]).toMatchObject({
    event: 'status_update_event',
    data: {
      eventType: 'status_update_event',
      appId: '/multidis',
      taskId: 'multidis_0-1700000000000',
      taskStatus: 'TASK_RUNNING',
      host: 'a.example',
      ports: [31_000],
      slaveId: 'S0',
      timestamp: '2023-11-14T22:13:20.000Z',
    },
  });
});

it('sends all events if no type is named, including those about listeners', async () => {
  const one = server();
  const stream = await listening(one);
  await one.run();
  const other = await listening(one, '?event_type=event_stream_detached');
  await vi.waitFor(() =>
    expect(names(stream)).toEqual([
      'event_stream_attached',
      'scheduler_registered_event',
      'event_stream_attached',
    ]),
  );
  other.leave();
  await vi.waitFor(() => expect(names(stream).at(-1)).toBe('event_stream_detached'));
  expect(stream.heard.at(-1)?.data).toMatchObject({ remoteAddress: '127.0.0.1' });
});

it('announces the end of a task at the kill, before Mesos confirms it', async () => {
  const one = server();
  await post(one, '/v1/apps/start', { ...PAGE, instances: 1 });
  await one.run();
  const stream = await listening(one, '?event_type=instance_changed_event');
  await post(one, '/v1/tasks/kill?id=multidis_0-1700000000000', {});
  await vi.waitFor(() => expect(stream.heard[0]?.data).toMatchObject({ condition: 'Killing' }));
  expect((await get(one, '/v1/endpoints')).body).toBe('multidis 10445 \n');
});

it('resumes after the last received event', async () => {
  const one = server();
  const types = '?event_type=api_post_event&event_type=app_terminated_event';
  const first = await listening(one, types);
  const add = (id: string) => call(one, 'POST', '/v2/apps', { id, cmd: 'sleep 1' });
  await add('/a');
  await vi.waitFor(() => expect(first.heard).toHaveLength(1));
  first.leave();
  await add('/b');
  await call(one, 'DELETE', '/v2/apps/a?force=true');
  const second = await listening(one, types, { 'Last-Event-ID': first.heard[0]?.id ?? '' });
  await add('/c');
  await vi.waitFor(() => expect(second.heard).toHaveLength(3));
  expect(second.heard).toMatchObject([
    { event: 'api_post_event', data: { appDefinition: { id: '/b' } } },
    { event: 'app_terminated_event', data: { appId: '/a' } },
    { event: 'api_post_event', data: { appDefinition: { id: '/c' } } },
  ]);
});

it('reports when it can not resume, and keeps a limited number of events', async () => {
  const one = server();
  const first = await listening(one, '?event_type=api_post_event');
  const app = { id: '/a', cmd: 'x'.repeat(100_000) };
  await call(one, 'POST', '/v2/apps', app);
  await vi.waitFor(() => expect(first.heard).toHaveLength(1));
  // Over 4 MiB of other events.
  for (let i = 0; i < 45; i += 1) {
    await call(one, 'PUT', '/v2/apps/a?force=true', { cpus: 1 + i / 100 });
  }
  for (const id of [first.heard[0]?.id ?? '', 'nonsense']) {
    const second = await listening(one, '', { 'Last-Event-ID': id });
    await vi.waitFor(() =>
      expect(second.text()).toContain(': events since Last-Event-ID are no longer available'),
    );
    expect(names(second)).toEqual(['event_stream_attached']);
    second.leave();
  }
});

it('leaves the states before and after out of light plans', async () => {
  const one = server();
  const light = await listening(one, '?event_type=deployment_info&plan-format=light');
  const full = await listening(one, '?event_type=deployment_info');
  await call(one, 'POST', '/v2/apps', { id: '/a', cmd: 'sleep 1' });
  await vi.waitFor(() => expect([light.heard.length, full.heard.length]).toEqual([1, 1]));
  const actions = [{ action: 'StartApplication', app: '/a' }];
  const plan = { id: expect.any(String), version: expect.any(String), steps: [{ actions }] };
  expect(light.heard[0]?.data).toMatchObject({ currentStep: { actions } });
  expect(light.heard[0]?.data.plan).toEqual(plan);
  expect(full.heard[0]?.data.plan).toMatchObject({
    ...plan,
    original: { id: '/', apps: [] },
    target: { id: '/', apps: [{ id: '/a' }] },
  });
});

it('disconnects only listeners that do not read', async () => {
  const one = server();
  const reader = await listening(one, '?event_type=api_post_event');
  const socket = connect(await portOf(one), '127.0.0.1');
  closing.unshift(async () => void socket.destroy());
  socket.write('GET /v2/events?event_type=api_post_event HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'readable');
  // From here on it reads nothing; the kernel buffers some megabytes before data piles up.
  socket.pause();
  const slow = once(socket, 'close');
  const detached = await listening(one, '?event_type=event_stream_detached');
  await call(one, 'POST', '/v2/apps', { id: '/a', cmd: 'x'.repeat(500_000) });
  let changes = 1;
  while (detached.heard.length === 0 && changes < 200) {
    await call(one, 'PUT', '/v2/apps/a?force=true', { cpus: 1 + changes / 100 });
    changes += 1;
    await vi.waitFor(() => expect(reader.heard).toHaveLength(changes), { timeout: 5000 });
  }
  expect(detached.heard).toHaveLength(1);
  socket.resume();
  await slow;
  expect(reader.answer.closed).toBe(false);
});

it('rejects HEAD, which would never end', async () => {
  const answer = await server().api.inject({ method: 'HEAD', url: '/v2/events' });
  expect(answer.statusCode).toBe(404);
});

it('does not attach a client that has disconnected already', () => {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  response.destroy();
  const streams = new EventStreams();
  streams.attach(request, response, { types: new Set(), light: false, isViewer: false });
  expect(streams.listeners).toBe(0);
});

it('resumes also if more was missed than a listener may leave unread', async () => {
  const one = server();
  const first = await listening(one, '?event_type=api_post_event');
  await call(one, 'POST', '/v2/apps', { id: '/a', cmd: 'x'.repeat(300_000) });
  await vi.waitFor(() => expect(first.heard).toHaveLength(1));
  first.leave();
  for (let i = 1; i <= 5; i += 1) await call(one, 'PUT', '/v2/apps/a?force=true', { cpus: 1 + i });
  const second = await listening(one, '', { 'Last-Event-ID': first.heard[0]?.id ?? '' });
  await vi.waitFor(() => expect(names(second).filter((name) => name === 'api_post_event')).toHaveLength(5), {
    timeout: 10_000,
  });
  await vi.waitFor(() => expect(names(second)).toContain('event_stream_attached'));
});
