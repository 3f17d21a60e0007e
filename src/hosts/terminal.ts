/** Gives a user a shell on a host, in the terminal of this process: by OpenSSH's ssh, or on this machine. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa, type Options } from 'execa';
import type { Hosts } from './connect.ts';
import { HostError } from './host.ts';
import type { HostTarget } from './options.ts';
import { quote } from './quote.ts';
import { TARGET, terminalConfig } from './ssh/openssh-config.ts';

/** The exit code of shells for a program that a signal ended. */
const SIGNALLED = 128;

/**
 * Starts the login shell, or a program, as the login user, and waits for its end.
 * @param command words of a program; empty for the login shell
 * @returns the exit code of the shell or the program; 255 if ssh could not connect
 * @throws HostError 'configuration' if the host can't be reached with OpenSSH's ssh
 */
export async function openTerminal(
  hosts: Hosts,
  target: HostTarget,
  command: readonly string[],
): Promise<number> {
  const { name, connection } = target;
  if (connection.kind === 'local') {
    const [program = process.env.SHELL || '/bin/sh', ...args] = command;
    return start(name, program, args);
  }
  const plan = await hosts.route(target, connection);
  if (plan.hostKey.pinned !== null) {
    throw new HostError(
      name,
      'configuration',
      `${name}: OpenSSH's ssh can't check the fingerprint in hostKey`,
      `Remove hostKey for this host, and add its key to a file of known hosts. Or run the command with: mesosup node exec --host ${name} -- CMD`,
    );
  }
  const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-ssh-'));
  try {
    const config = path.join(directory, 'config');
    await writeFile(config, terminalConfig(plan, config), { mode: 0o600 });
    const words = command.length > 0 ? [command.map(quote).join(' ')] : [];
    return await start(name, 'ssh', ['-F', config, TARGET, ...words]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const TERMINAL = { stdio: 'inherit', reject: false } as const satisfies Options;

async function start(host: string, program: string, args: readonly string[]): Promise<number> {
  const { exitCode, signal, cause } = await execa(program, args, TERMINAL);
  if (exitCode !== undefined) return exitCode;
  if (signal !== undefined) return SIGNALLED;
  throw new HostError(
    host,
    'configuration',
    `${host}: ${program} could not be started on this machine`,
    program === 'ssh'
      ? 'Install OpenSSH on this machine (openssh-client).'
      : 'Check the name of the program.',
    cause,
  );
}
