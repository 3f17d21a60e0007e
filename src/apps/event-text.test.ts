import { expect, it } from 'vitest';
import { appsOfEvent, eventText } from './event-text.ts';

it('describes an event with its time, type and subject', () => {
  const event = {
    eventType: 'status_update_event',
    timestamp: '2026-01-01T12:00:01.000Z',
    appId: '/web',
    taskId: 'web.1',
    taskStatus: 'TASK_FAILED',
    message: 'exit\u001b[2J 1',
  };
  expect(eventText(event)).toBe(
    '12:00:01.000  status_update_event  appId=/web  taskId=web.1  taskStatus=TASK_FAILED  message=exit\\x1b[2J 1',
  );
  expect(appsOfEvent(event)).toEqual(['/web']);
});

it('names the apps of a deployment', () => {
  const steps = [{ actions: [{ action: 'StartApplication', app: '/a' }] }, { actions: [{ app: '/b' }] }];
  const event = { eventType: 'deployment_success', timestamp: 'T', id: 'd', plan: { steps } };
  expect(eventText(event)).toBe('T  deployment_success  id=d  apps=/a,/b');
  expect(appsOfEvent(event)).toEqual(['/a', '/b']);
});
