/** What the master and the agent show of a task's discovery information, which Mesos-DNS and load balancers read. */

import { describe, expect, it } from 'vitest';
import type { DiscoveryInfo, DiscoveryPort, Offer } from '../../src/mesos/types.ts';
import { TestFramework } from './support/framework.ts';
import { agentAddress, getJson, master, post } from './support/mesos.ts';
import { commandTask } from './support/tasks.ts';

interface Listed {
  id: string;
  discovery?: unknown;
}

async function shownOf(id: string): Promise<unknown> {
  const { tasks } = await getJson<{ tasks: Listed[] }>(master, '/tasks?limit=1000');
  return tasks.find((one) => one.id === id)?.discovery;
}

describe('the discovery information of a task', () => {
  it('is shown as it was sent, by the master and by the agent', async () => {
    const discovery: DiscoveryInfo = {
      visibility: 'FRAMEWORK',
      name: 'web.shop',
      ports: {
        ports: [
          {
            number: 80,
            name: 'http',
            protocol: 'tcp',
            labels: {
              labels: [
                { key: 'VIP_0', value: '/web:80' },
                { key: 'network-scope', value: 'container' },
              ],
            },
          },
          { number: 53, protocol: 'udp' },
        ],
      },
    };
    await using framework = await TestFramework.subscribe();
    let id = '';
    await framework.launch((offer) => {
      const task = commandTask(offer, 'sleep 60', { discovery });
      id = task.task_id.value;
      return task;
    });
    const { agent_id } = await framework.update(id, 'TASK_RUNNING');
    expect(await shownOf(id)).toEqual(discovery);
    const { frameworks } = await getJson<{ frameworks: { tasks: Listed[] }[] }>(master, '/state');
    expect(frameworks.flatMap((one) => one.tasks).find((one) => one.id === id)?.discovery).toEqual(discovery);
    const onAgent = await getJson<{ frameworks: { executors: { tasks: Listed[] }[] }[] }>(
      await agentAddress(agent_id?.value),
      '/state',
    );
    const all = onAgent.frameworks.flatMap(({ executors }) => executors).flatMap((one) => one.tasks);
    expect(all.find((one) => one.id === id)?.discovery).toEqual(discovery);
    const answer = await post(master, '/api/v1', { type: 'GET_TASKS' });
    const messages = JSON.parse(answer.text).get_tasks.tasks as { task_id: { value: string } }[];
    expect(messages.find(({ task_id }) => task_id.value === id)).toMatchObject({ discovery });
  });

  it('is shown without empty lists', async () => {
    await using framework = await TestFramework.subscribe();
    const ids: string[] = [];
    const start = (offer: Offer, ports: DiscoveryPort[]) => {
      const discovery = { visibility: 'FRAMEWORK', name: 'x', ports: { ports } } as const;
      const task = commandTask(offer, 'sleep 60', { discovery });
      ids.push(task.task_id.value);
      return task;
    };
    await framework.launch((offer) => [
      start(offer, []),
      start(offer, [{ number: 80, labels: { labels: [] } }]),
    ]);
    for (const id of ids) await framework.update(id, 'TASK_RUNNING');
    const [none = '', one = ''] = ids;
    const shared = { visibility: 'FRAMEWORK', name: 'x' };
    expect(await shownOf(none)).toEqual({ ...shared, ports: {} });
    expect(await shownOf(one)).toEqual({ ...shared, ports: { ports: [{ number: 80, labels: {} }] } });
  });

  it('needs a visibility, and a number for each port', async () => {
    await using framework = await TestFramework.subscribe();
    const offer = await framework.offer();
    for (const [discovery, missing] of [
      [{ name: 'x' }, 'visibility'],
      [{ visibility: 'FRAMEWORK', ports: { ports: [{ name: 'x' }] } }, 'number'],
    ] as const) {
      const task = commandTask(offer, 'true', { discovery: discovery as unknown as DiscoveryInfo });
      const operations = [{ type: 'LAUNCH', launch: { task_infos: [task] } }];
      const answer = await framework.post({ type: 'ACCEPT', accept: { offer_ids: [offer.id], operations } });
      expect(answer).toMatchObject({ status: 400, text: expect.stringContaining(missing) });
    }
  });
});
