/**
 * What an uninstall does about processes that containerd may leave behind, with processes of these names. They have a
 * process namespace of their own, so that no process of a real container is seen.
 */

import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scripts } from '../install/hosts.ts';
import { SHELLS } from '../support/shells.ts';

let directory: string;
let program: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-shims-'));
  program = path.join(directory, 'containerd-shim-runc-v2');
  // The kernel names a script's process after the script.
  await writeFile(program, '#!/bin/sh\nwhile sleep 0.1; do :; done\n');
  await chmod(program, 0o755);
});
afterAll(() => rm(directory, { recursive: true }));

const STEPS = `
SHIM_PATIENCE=3
"$PROGRAM" -namespace moby -id x & docker=$!
"$PROGRAM" -namespace k8s.io -id x & other=$!
until [ -n "$(shims)" ]; do sleep 0.1; done
[ "$(shims)" = "$docker" ] && echo found
end_shims
[ -z "$(shims)" ] && echo ended
kill -0 "$other" && echo spared
`;

test.each(SHELLS)('kills shims of Docker that do not end, and no others, by %s', async (_name, shell) => {
  const { stdout } = await execa('unshare', ['--pid', '--fork', '--mount-proc', '--kill-child', ...shell], {
    input: `${scripts['apply/tasks.sh']}${STEPS}`,
    env: { PROGRAM: program },
  });
  expect(stdout.split('\n')).toEqual(['found', 'ended', 'spared']);
});

test.each(SHELLS)('reports processes that even SIGKILL does not end, by %s', async (_name, shell) => {
  const steps = `
fail() { echo "$1: $2"; exit; }
sleep() { :; }
end_processes things TERM 3 echo 4194305
`;
  const { stdout } = await execa(shell[0], shell.slice(1), { input: `${scripts['apply/tasks.sh']}${steps}` });
  expect(stdout).toBe('tasks: things do not end: 4194305');
});
