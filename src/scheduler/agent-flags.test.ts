import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { AgentFlagsReader, askNotice } from './agent-flags.ts';
import type { Input } from './decide/inputs.ts';

const closing: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  closing.push(() => server.close());
  await vi.waitFor(() => expect(server.listening).toBe(true));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/flags`;
}

async function answerOf(url: string): Promise<Input> {
  const answers: Input[] = [];
  const reader = new AgentFlagsReader((answer) => answers.push(answer));
  closing.push(() => reader.stop());
  reader.take({ asking: 'S0', url });
  return vi.waitFor(() => answers[0] ?? Promise.reject(new Error('no answer')), { timeout: 10_000 });
}

it('reports the flags of an agent', async () => {
  const url = await serve(({ url: path }, response) => {
    expect(path).toBe('/flags');
    response.end(JSON.stringify({ flags: { containerizers: 'docker,mesos', image_providers: 'docker' } }));
  });
  expect(await answerOf(url)).toEqual({
    type: 'agent_answered',
    agentId: 'S0',
    flags: { containerizers: ['docker', 'mesos'], image_providers: ['docker'], isolation: [] },
  });
});

it.each<[string, RequestListener]>([
  ['asks for credentials', (_, response) => response.writeHead(401).end('{"flags":{"containerizers":"x"}}')],
  ['answers with something else', (_, response) => response.end('<html>')],
  ['does not answer', () => {}],
])('reports no flags of an agent that %s', async (_, listener) => {
  expect(await answerOf(await serve(listener))).toEqual({ type: 'agent_answered', agentId: 'S0' });
});

it.each(['http://127.0.0.1:1/flags', 'https://127.0.0.1:1/flags', 'no URL'])(
  'reports no flags from %s',
  async (url) => {
    expect(await answerOf(url)).toEqual({ type: 'agent_answered', agentId: 'S0' });
  },
);

it('asks for one agent with each event', () => {
  expect(askNotice({ type: 'agent_asked', agentId: 'S0', url: 'u', at: 0 })).toEqual({
    asking: 'S0',
    url: 'u',
  });
  expect(askNotice({ type: 'apps_settled' })).toBeUndefined();
});

it('asks many agents, a few at a time', async () => {
  let open = 0;
  let most = 0;
  const url = await serve((_, response) => {
    open += 1;
    most = Math.max(most, open);
    setTimeout(() => {
      open -= 1;
      response.end('{}');
    }, 20);
  });
  const answers: Input[] = [];
  const reader = new AgentFlagsReader((answer) => answers.push(answer));
  for (let i = 0; i < 200; i += 1) reader.take({ asking: `S${i}`, url });
  await vi.waitFor(() => expect(answers).toHaveLength(200), { timeout: 20_000 });
  expect(most).toBeLessThanOrEqual(50);
});

it('asks an agent once that is to be asked again while it waits', async () => {
  let asked = 0;
  const waiting: (() => void)[] = [];
  const url = await serve((_, response) => {
    asked += 1;
    if (asked > 50) response.end('{}');
    else waiting.push(() => response.end('{}'));
  });
  const answers: Input[] = [];
  const reader = new AgentFlagsReader((answer) => answers.push(answer));
  closing.push(() => reader.stop());
  // The first 50 are asked at once, and wait a second time.
  for (let minute = 0; minute < 5; minute += 1)
    for (let i = 0; i < 100; i += 1) reader.take({ asking: `S${i}`, url });
  await vi.waitFor(() => expect(waiting).toHaveLength(50), { timeout: 20_000 });
  for (const answer of waiting) answer();
  await vi.waitFor(() => expect(answers).toHaveLength(150), { timeout: 10_000 });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(asked).toBe(150);
});
