import { expect, it } from 'vitest';
import { ids, running } from '../../test/scheduler/running.ts';
import { evolve } from './domain/evolve.ts';
import { noticeFor } from './notices.ts';

it('logs once that the master has answered for every task, with the last answer', () => {
  const harness = running(3);
  const { state } = harness;
  const [a = '', b = '', c = ''] = ids(harness);
  evolve(state, { type: 'tasks_unanswered', taskIds: [a, b, c] });
  const notices = [b, a, a, c, c].map((taskId) => {
    const event = { type: 'task_answered', taskId } as const;
    const notice = noticeFor(state, event);
    evolve(state, event);
    return notice;
  });
  const last = { level: 'info', text: 'the master has answered for every task', fields: { tasks: 3 } };
  expect(notices).toEqual([undefined, undefined, undefined, last, undefined]);
});
