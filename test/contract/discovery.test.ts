/** What the master and the agent show of a task's discovery information, which Mesos-DNS and load balancers read. */

import { describe, expect, it } from 'vitest';
import type { DiscoveryInfo } from '../../src/mesos/types.ts';
import { TestFramework } from './support/framework.ts';
import { agentAddress, getJson, master, post } from './support/mesos.ts';
import { commandTask } from './support/tasks.ts';

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
    interface Listed {
      id: string;
      discovery?: DiscoveryInfo;
    }
    const { tasks } = await getJson<{ tasks: Listed[] }>(master, '/tasks?limit=1000');
    expect(tasks.find((one) => one.id === id)?.discovery).toEqual(discovery);
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
