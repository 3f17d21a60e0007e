/** Runs the programs in which a host keeps the credentials of its registries: `docker-credential-NAME get`. */

import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { userInfo } from 'node:os';
import { DockerError } from '../docker/connection.ts';
import type { RegistryAuth } from '../docker/registry-auth.ts';
import { parseHelperAnswer, serverAddress } from './domain/docker-config.ts';

const DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const TIMEOUT_MS = 30_000;
/** The end of a helper's answer for a registry that it does not know. */
const UNKNOWN = /credentials not found/i;

/**
 * @param name the program's name after `docker-credential-`
 * @returns undefined if the program has no credentials for the registry
 * @throws DockerError with the program's words
 */
export async function runCredentialHelper(name: string, registry: string): Promise<RegistryAuth | undefined> {
  const program = `docker-credential-${name}`;
  if (!/^[A-Za-z0-9._-]+$/.test(name)) throw new DockerError(`"${name}" is not the name of a helper`, 0);
  const file = DIRECTORIES.map((directory) => `${directory}/${program}`).find(isProgram);
  if (file === undefined) throw new DockerError(`the program ${program} is missing on this agent`, 0);
  const { code, stdout, stderr } = await run(file, serverAddress(registry));
  if (code === 0) {
    const auth = parseHelperAnswer(stdout, registry);
    if (auth) return auth;
    throw new DockerError(`the answer of ${program} is not valid`, 0);
  }
  // Helpers print their errors to either stream.
  const words = `${stderr.trim()} ${stdout.trim()}`.trim();
  if (UNKNOWN.test(words)) return undefined;
  throw new DockerError(
    `${program} failed: ${words === '' ? `it ended with ${code ?? 'a signal'}` : words}`,
    0,
  );
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function run(file: string, input: string) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    const child = spawn(file, ['get'], {
      env: { PATH: DIRECTORIES.join(':'), HOME: userInfo().homedir },
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    const out = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const)
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        out[stream] += text;
      });
    child.once('error', (error) => reject(new DockerError(`${file}: ${error.message}`, 0)));
    child.once('close', (code) => resolve({ code, ...out }));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
