import { lstat, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MesosupError } from '../errors/mesosup-error.ts';
import { identify, isAlive, type ProcessId } from '../proc/process-id.ts';

/** The state of a running demo, in `state.json` of its directory. */
export interface DemoState {
  /** The demo is running as long as this process is. */
  supervisor: ProcessId;
  cluster: string;
  masterUrl: string;
  schedulerUrl: string;
  /** Start time, milliseconds since the epoch. */
  since: number;
  /** The process ids of the demo's programs by name. */
  processes: Record<string, number>;
  /** The link to the executor that the demo created; the clean-up removes it. */
  link?: ExecutorLink;
}

export interface ExecutorLink {
  path: string;
  target: string;
  /** Directories created for the link, innermost first. */
  madeDirectories: string[];
}

/** One demo per user: root's in /run, other users' in their runtime directory or in /tmp. */
export function demoDirectory(uid: number, env: { XDG_RUNTIME_DIR?: string | undefined }): string {
  if (uid === 0) return '/run/mesosup-demo';
  return env.XDG_RUNTIME_DIR ? path.join(env.XDG_RUNTIME_DIR, 'mesosup-demo') : `/tmp/mesosup-demo-${uid}`;
}

/**
 * Creates the demo's directory with mode 0700. Creating it is the lock between two demos.
 *
 * @throws MesosupError if it exists: another demo has just been started, or the directory is not a demo's
 */
export async function claimDirectory(dir: string): Promise<void> {
  await mkdir(dir, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new MesosupError(
      `${dir} already exists. If no other demo is starting, check what it is and move it away.`,
    );
  });
}

/** Finds a running demo (`up`), the remains of a killed one, or none. */
export async function inspectDirectory(
  dir: string,
): Promise<{ kind: 'none' } | { kind: 'up' | 'remains'; state: DemoState | undefined }> {
  const info = await lstat(dir).catch(() => undefined);
  if (!info) return { kind: 'none' };
  if (!info.isDirectory() || info.uid !== process.getuid?.()) {
    throw new MesosupError(`${dir} is not a directory of this user. Move it away to run a demo.`);
  }
  const state = await readState(dir);
  return state && isAlive(state.supervisor) ? { kind: 'up', state } : { kind: 'remains', state };
}

export async function readState(dir: string): Promise<DemoState | undefined> {
  try {
    return JSON.parse(await readFile(path.join(dir, 'state.json'), 'utf8')) as DemoState;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export async function writeState(dir: string, state: DemoState): Promise<void> {
  const file = path.join(dir, 'state.json');
  await writeFile(`${file}.new`, JSON.stringify(state), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** Identifies the current process. */
export function identifySelf(): ProcessId {
  const id = identify(process.pid);
  if (!id)
    throw new MesosupError(
      '/proc is not mounted, and mesosup needs it to identify processes. Mount it with: mount -t proc proc /proc',
    );
  return id;
}
