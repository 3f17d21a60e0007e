/**
 * Runs `docker create`, the only call that uses the docker program: users write its options, which no other program can
 * parse.
 */

import { spawn } from 'node:child_process';
import { closeSync, openSync, unlinkSync, writeFileSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { DockerError, DockerUnavailableError } from './connection.ts';

const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const USUAL_PLACES = ['/usr/bin/docker', '/usr/local/bin/docker'];

/**
 * Finds the docker program in the directories of packages, or else on the PATH.
 * @throws DockerUnavailableError if it is missing
 */
export async function findDockerProgram(searchPath: string | undefined): Promise<string> {
  const onPath = (searchPath ?? '').split(':').filter((dir) => path.isAbsolute(dir));
  for (const file of [...USUAL_PLACES, ...onPath.map((dir) => path.join(dir, 'docker'))]) {
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  throw new DockerUnavailableError(
    `No docker program found in ${[...USUAL_PLACES, ...onPath].join(', ')}. Install Docker (docker.io or docker-ce-cli)`,
  );
}

export interface CreateCommand {
  /** Everything after `docker`. May name the environment file as ENV_FILE_PATH. */
  argv: readonly string[];
  /** Lines `NAME=value` for ENV_FILE_PATH. */
  envFile: string;
  /** The environment of the docker program, for values passed on by `-e NAME`. */
  environment: Readonly<Record<string, string>>;
}

/** The path of `envFile` for the docker program: its standard input. */
export const ENV_FILE_PATH = '/proc/self/fd/0';

/**
 * Runs `docker create`.
 * @param directory for the environment file, which is deleted before the program starts (only the open file remains),
 *   so that no secrets are left behind
 * @returns the container's id
 * @throws DockerError with the program's error message
 */
export async function createContainer(
  program: string,
  directory: string,
  socketPath: string,
  command: CreateCommand,
): Promise<string> {
  const input = anonymousFile(directory, command.envFile);
  try {
    const environment = { PATH: SEARCH_PATH, ...command.environment, DOCKER_HOST: `unix://${socketPath}` };
    const { code, stdout, stderr } = await run(program, command.argv, environment, input);
    if (code === 0) return idIn(stdout);
    throw new DockerError(errorMessage(stderr) || `docker create ended with ${code ?? 'a signal'}`, 0);
  } finally {
    closeSync(input);
  }
}

/** Runs a program whose standard input is an open file. Libraries for child processes do not support that. */
function run(program: string, argv: readonly string[], env: Record<string, string>, input: number) {
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    const child = spawn(program, argv, { env, stdio: [input, 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.once('error', (error) => reject(new DockerError(`${program}: ${error.message}`, 0)));
    child.once('close', (code) => {
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
  });
}

function idIn(stdout: string): string {
  const id = stdout.trim().split('\n').at(-1) ?? '';
  if (/^[0-9a-f]{12,64}$/.test(id)) return id;
  throw new DockerError(`docker create printed "${stdout.trim()}" instead of a container id`, 0);
}

/** Extracts the program's error message, without its usage text and its hints about --help. */
function errorMessage(stderr: string): string {
  const [complaint = ''] = stderr.split(/\n\s*\n/, 1);
  const lines = complaint.split('\n').filter((line) => !/^(?:See|Run) '/.test(line));
  return lines
    .join('\n')
    .replace(/^Error response from daemon: /m, '')
    .trim();
}

function anonymousFile(directory: string, text: string): number {
  const file = path.join(directory, `.env-${process.pid}-${process.hrtime.bigint()}`);
  const fd = openSync(file, 'wx', 0o600);
  try {
    unlinkSync(file);
    writeFileSync(fd, text);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
