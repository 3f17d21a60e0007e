import fc from 'fast-check';
import { expect, it } from 'vitest';
import { appV2, start } from '../../../test/scheduler/fixtures.ts';
import { Harness } from '../../../test/scheduler/harness.ts';
import { AGENTS } from '../../../test/scheduler/running.ts';
import type { TaskInfo } from '../../mesos/types.ts';
import { planTask } from './task-plan.ts';

const DOCKER = { image: 'i' };

/** Creates the app, and plans its first task as an executor does. @returns the refused path, or the planned task */
function launch(fields: Record<string, unknown>): string | object {
  const harness = new Harness(AGENTS);
  const reply = harness.input(start(appV2({ cmd: undefined, container: { docker: DOCKER }, ...fields })));
  if (reply?.type === 'invalid') return reply.errors.map(({ path }) => path.join('/')).join();
  harness.rest();
  const info: TaskInfo | undefined = [...harness.mesos.tasks.values()][0]?.info;
  if (!info) throw new Error('nothing was launched');
  return planTask(info, { argv: [], env: {} });
}

const parameters = (...all: [string, string][]) => ({
  container: { docker: { ...DOCKER, parameters: all.map(([key, value]) => ({ key, value })) } },
});

it.each<[Record<string, unknown>, string]>([
  [{ env: { A: '1', 'A B': '1' } }, 'env/A B'],
  [{ env: { '#A': '1' } }, 'env/#A'],
  [{ env: { 'A\u00a0': '1' } }, 'env/A\u00a0'],
  [{ env: { LD_PRELOAD: 'a\nb' } }, 'env/LD_PRELOAD'],
  [{ env: { HTTP_PROXY: 'x'.repeat(16_000) } }, 'env/HTTP_PROXY'],
  [parameters(['hostname', 'h'], ['label', 'mesosup.task=x']), 'container/docker/parameters/1'],
  [parameters(['host name', 'h']), 'container/docker/parameters/0'],
  [{ container: { docker: { ...DOCKER, options: ['image'] } } }, 'container/docker/options'],
  [
    { container: { docker: { ...DOCKER, options: ['--label', 'mesosup.task=x'] } } },
    'container/docker/options',
  ],
])('is refused by the API already: %j', (fields, path) => {
  expect(launch(fields)).toBe(path);
});

it('leaves nothing for the executor to refuse, whatever the environment, labels and parameters are', () => {
  const text = fc.string({ unit: 'binary', maxLength: 8 }).filter((one) => !one.includes('\0'));
  const name = fc.oneof(text, fc.constantFrom('LD_PRELOAD', 'A B', 'PATH', '#', 'hostname', 'label', 'tty'));
  const value = fc.oneof(text, fc.constantFrom('a\nb', 'mesosup.x=1', ''));
  const key = name.filter((one) => one !== '' && !one.includes('='));
  fc.assert(
    fc.property(
      fc.dictionary(key, value, { maxKeys: 3 }),
      fc.dictionary(key, value, { maxKeys: 3 }),
      fc.array(fc.tuple(key, value), { maxLength: 2 }),
      (env, labels, all) => {
        expect(() => launch({ env, labels, ...parameters(...all) })).not.toThrow();
      },
    ),
    { numRuns: 200 },
  );
});
