import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { scripts } from '../../../test/install/hosts.ts';
import { adoptScript, parseAdopted } from './adopt-script.ts';

test('reads the arguments, variables and credentials of an agent that runs on this machine', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'mesosup-adopt-'));
  const credential = path.join(directory, 'credential');
  writeFileSync(credential, '{"principal":"nodes","secret":"sesame"}\n');
  const words = [`--credential=file://${credential}`, '--attributes=rack:a b;x:1\n2', '--no-strict'];
  const agent = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '--', ...words], {
    argv0: '/usr/sbin/mesos-agent',
    env: { MESOS_WORK_DIR: directory, JAVA_HOME: '' },
    stdio: 'ignore',
  });
  try {
    await once(agent, 'spawn');
    // Hosts of a lab on this machine may have agents, too.
    const own = ({ environment }: { environment: Readonly<Record<string, string>> }) =>
      environment.MESOS_WORK_DIR === directory;
    const { stdout } = await execa('/bin/sh', { input: adoptScript(scripts) });
    const { processes, addresses } = parseAdopted(stdout);
    expect(addresses.length).toBeGreaterThan(0);
    const [found, ...more] = processes.filter(own);
    expect(more).toEqual([]);
    expect(found).toMatchObject({ role: 'agent', environment: { JAVA_HOME: '' } });
    expect(found?.words.slice(-3)).toEqual(words);
    expect(found?.files).toEqual({ [credential]: '{"principal":"nodes","secret":"sesame"}\n' });
  } finally {
    agent.kill();
    rmSync(directory, { recursive: true });
  }
});

test('refuses an incomplete answer', () => {
  expect(() => parseAdopted('{"format":1,"plain":"')).toThrow('not the answer of the probe');
});
