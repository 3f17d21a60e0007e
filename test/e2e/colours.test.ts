/** NO_COLOR disables all colours: oclif's help, listr2's progress, inquirer's questions. */
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { mesosup, root } from './demo-cluster.ts';
import { stylesOf } from './support/colours.ts';

const program = path.join(root, 'bin/mesosup');

afterAll(() => mesosup('demo', 'down'));

test.each([
  `${program} --help`,
  `${program} status --help`,
  `${program} demo --once --image no.such.invalid/redis`,
  `cd /; timeout --foreground 3 ${program} init`,
])('%s', async (command) => {
  expect((await stylesOf(command)).length).toBeGreaterThan(0);
  expect(await stylesOf(command, { NO_COLOR: '1' })).toEqual([]);
});
