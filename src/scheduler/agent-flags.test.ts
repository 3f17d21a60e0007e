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
