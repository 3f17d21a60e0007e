import { expect, test } from 'vitest';
import NodeExec from '../commands/node/exec.ts';
import NodeSsh from '../commands/node/ssh.ts';

const root = process.cwd();

test('a word that is not after -- is refused: the command would run on all hosts, or not at all', async () => {
  await expect(NodeExec.run(['h1', '--file', '/none', '--', 'reboot'], { root })).rejects.toThrow('h1');
  await expect(NodeSsh.run(['h1', 'uptime', '--file', '/none'], { root })).rejects.toThrow('uptime');
});

test('words after -- are left to the other program', async () => {
  await expect(NodeExec.run(['--file', '/none', '--', 'ls', '--color'], { root })).rejects.toThrow('/none');
  await expect(NodeSsh.run(['h1', '--file', '/none', '--', 'ls', '-l'], { root })).rejects.toThrow('/none');
});
