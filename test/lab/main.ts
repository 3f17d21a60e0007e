/**
 * Starts and stops labs manually:
 *
 *   node test/lab/main.ts up [N]        N plain hosts (3), kept until `down`
 *   node test/lab/main.ts up --debian   h1 of Debian 11, h2 of Debian 12, h3 of Debian 13
 *   node test/lab/main.ts up --variety  one of each kind: h1 plain, h2 sudo, h3 sudo with a password, h4 behind h1, h5 Ubuntu
 *   node test/lab/main.ts ssh HOST [COMMAND…]
 *   node test/lab/main.ts list
 *   node test/lab/main.ts down
 *
 * With several manual labs, MESOSUP_LAB=ID selects one.
 */

import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { DEBIAN, type DebianName } from './bases.ts';
import { startLab } from './lab.ts';
import { sshFiles } from './ssh-files.ts';
import type { HostOptions } from './start-host.ts';
import { labDirectory, listLabs, removeLab } from './state.ts';

const VARIETY: HostOptions[] = [
  {},
  { login: 'sudo' },
  { login: 'sudo-password' },
  { behind: 'h1' },
  { system: 'ubuntu-22.04' },
];

async function up(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    options: { variety: { type: 'boolean' }, debian: { type: 'boolean' } },
    allowPositionals: true,
  });
  const plain = Number(positionals[0] ?? 3);
  const debian = Object.keys(DEBIAN).map((system) => ({ system: system as DebianName }));
  const hosts = values.variety ? VARIETY : values.debian ? debian : plain;
  const begin = performance.now();
  const lab = await startLab({ hosts, owned: false, say: (step) => console.log(step) });
  for (const { name, address, user, bastion, sudoPassword } of lab.hosts) {
    const notes = [bastion && `through ${bastion}`, sudoPassword && `sudo password ${sudoPassword}`];
    console.log([name, address, user, ...notes.filter(Boolean)].join('  '));
  }
  console.log(`lab ${lab.id}: ssh -F ${lab.ssh.config} ${lab.hosts[0]?.name}`);
  console.log(`up after ${((performance.now() - begin) / 1000).toFixed(1)} s`);
}

/** Returns the lab that MESOSUP_LAB selects, or the only one that was started manually. */
async function kept(): Promise<string> {
  const named = process.env.MESOSUP_LAB;
  const ids = (await listLabs()).filter((lab) => !lab.owner).map((lab) => lab.id);
  const fitting = named === undefined ? ids : ids.filter((id) => id === named);
  const [id] = fitting;
  if (id === undefined) throw new Error('no such lab is up by hand');
  if (fitting.length > 1) throw new Error(`say which by MESOSUP_LAB: ${ids.join(', ')}`);
  return id;
}

async function main([command, ...args]: string[]): Promise<number> {
  switch (command) {
    case 'up':
      await up(args);
      return 0;
    case 'ssh': {
      const { config } = sshFiles(labDirectory(await kept()));
      const result = await execa('ssh', ['-F', config, ...args], { stdio: 'inherit', reject: false });
      return result.exitCode ?? 1;
    }
    case 'list':
      for (const { id, owner } of await listLabs())
        console.log(`${id}  ${owner ? `of process ${owner.pid}` : 'by hand'}  ${labDirectory(id)}`);
      return 0;
    case 'down':
      await removeLab(await kept());
      return 0;
    default:
      console.error(
        'usage: node test/lab/main.ts up [N|--variety|--debian] | ssh HOST [COMMAND…] | list | down',
      );
      return 2;
  }
}

process.exitCode = await main(process.argv.slice(2));
