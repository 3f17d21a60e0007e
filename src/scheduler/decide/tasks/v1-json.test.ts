import { expect, it } from 'vitest';
import { app, appV2 } from '../../../../test/scheduler/fixtures.ts';
import { v1Json } from './v1-json.ts';

it('v1 shows its own apps as they were sent', () => {
  const container = { image: 'docker:///redis', options: ['--privileged'] };
  expect(v1Json(app({ container, uris: ['http://u'], ports: [7], taskRateLimit: 2 }))).toMatchObject({
    id: 'multidis',
    container,
    uris: ['http://u'],
    ports: [7],
    taskRateLimit: 2,
  });
  expect(v1Json(app())).not.toHaveProperty('container');
});

it('v1 shows apps of v2 with its own fields', () => {
  const container = { docker: { image: 'docker:///redis' } };
  expect(v1Json(appV2({ id: '/a/b', cmd: undefined, args: ['--port', '1'], container }))).toMatchObject({
    id: 'a_b',
    cmd: '--port 1',
    container: { image: 'redis', options: [] },
  });
  expect(v1Json(appV2({ cmd: undefined, container })).cmd).toBe('');
});
