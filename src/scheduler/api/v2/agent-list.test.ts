import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { account, asUser } from '../../../../test/scheduler/accounts.ts';
import { call, closing, get, SLEEPER, server } from '../../../../test/scheduler/api-server.ts';
import { Agents } from '../../agents/agents.ts';

interface Master {
  agents: Agents;
  requests: IncomingMessage[];
  /** The answer to `/slaves`; undefined: 503. */
  slaves: object[] | undefined;
  now: number;
  stop(): Promise<void>;
}

async function startMaster(): Promise<Master> {
  const requests: IncomingMessage[] = [];
  const http = createServer((request, answer) => {
    requests.push(request);
    answer.statusCode = master.slaves ? 200 : 503;
    answer.end(JSON.stringify({ slaves: master.slaves ?? [] }));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => http.once('listening', resolve));
  const { port } = http.address() as AddressInfo;
  const master: Master = {
    agents: new Agents({
      detect: async () => `127.0.0.1:${port}`,
      credential: { principal: 'framework', secret: 's' },
      now: () => master.now,
    }),
    requests,
    slaves: [
      { id: 'S0', hostname: 'a.example', resources: { cpus: 4 }, used_resources: { cpus: 1 }, active: true },
      { id: 'S1', hostname: 'b.example', resources: { cpus: 4 }, drain_info: { state: 'DRAINING' } },
    ],
    now: 1_700_000_000_000,
    stop: async () => {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  closing.push(() => master.stop());
  return master;
}

it('shows viewers what the master says of the agents, and an unreachable one as unknown', async () => {
  const master = await startMaster();
  const one = server({ agents: master.agents, accounts: [account('vera', 'viewer', 'v')] });
  const vera = asUser('vera', 'v');
  const read = async () => (await call(one, 'GET', '/v2/agents', undefined, vera)).json();
  expect((await get(one, '/v2/agents')).statusCode).toBe(401);
  const first = await read();
  expect(first).toMatchObject({
    at: '2023-11-14T22:13:20.000Z',
    agents: [
      { id: 'S0', state: 'active', total: { cpus: 4 }, used: { cpus: 1, mem: 0 }, tasks: 0 },
      { id: 'S1', state: 'draining' },
    ],
  });
  expect(first).not.toHaveProperty('problem');
  expect(master.requests[0]?.headers.authorization).toMatch(/^Basic /);
  master.slaves = master.slaves?.slice(1);
  master.now += 2000;
  const { agents } = await read();
  expect(agents).toEqual([
    {
      id: 'S0',
      host: 'a.example',
      state: 'unknown',
      seenAt: '2023-11-14T22:13:20.000Z',
      attributes: {},
      tasks: 0,
    },
    expect.objectContaining({ id: 'S1', state: 'draining' }),
  ]);
});

it('asks the master once for all that look within two seconds', async () => {
  const master = await startMaster();
  const one = server({ agents: master.agents });
  await Promise.all([get(one, '/v2/agents'), get(one, '/v2/agents')]);
  master.now += 1999;
  await get(one, '/v2/agents');
  expect(master.requests).toHaveLength(1);
  master.now += 1;
  await Promise.all([get(one, '/v2/agents'), get(one, '/v2/agents')]);
  expect(master.requests).toHaveLength(2);
});

it('says why nothing is known, and names the agents of tasks', async () => {
  const master = await startMaster();
  const one = server({ agents: master.agents });
  await call(one, 'POST', '/v2/apps', SLEEPER);
  await one.run();
  master.slaves = undefined;
  const failed = (await get(one, '/v2/agents')).json();
  expect(failed.problem).toBe('The Mesos master answered 503 when asked for its agents');
  expect(failed.agents).toEqual([
    { id: expect.any(String), host: expect.any(String), state: 'unknown', tasks: 1 },
  ]);
  await master.stop();
  master.now += 2000;
  const gone = (await get(one, '/v2/agents')).json();
  expect(gone.problem).toMatch(/^The Mesos master can't be asked for its agents: .*ECONNREFUSED/);
});

it('drains only an agent that exists, and says when that is not known', async () => {
  const master = await startMaster();
  const one = server({ agents: master.agents });
  const drain = (id: string) => call(one, 'POST', `/v2/agents/${id}/drain`);
  expect((await drain('S0')).statusCode).toBe(200);
  const { agents } = (await get(one, '/v2/agents')).json();
  expect(agents).toEqual([
    expect.objectContaining({ id: 'S0', state: 'draining', drains: true }),
    // By Mesos, which only an operator of Mesos ends.
    expect.not.objectContaining({ drains: true }),
  ]);
  const typo = await drain('TYPO');
  expect([typo.statusCode, typo.json()]).toEqual([
    404,
    { message: "There is no agent 'TYPO': GET /v2/agents lists the ids of all agents" },
  ]);
  // An agent that has registered since the last answer.
  master.slaves = [...(master.slaves ?? []), { id: 'S2', hostname: 'c.example', active: true }];
  expect((await drain('S2')).statusCode).toBe(200);
  master.slaves = undefined;
  master.now += 2000;
  expect((await drain('S1')).statusCode).toBe(200);
  const unclear = await drain('S9');
  expect([unclear.statusCode, unclear.json().message]).toEqual([
    503,
    expect.stringMatching(
      /^The scheduler can't check whether the agent 'S9' exists, .* answered 503 .*try again/,
    ),
  ]);
});
