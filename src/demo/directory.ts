import { lstat, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MesosupError } from '../errors/mesosup-error.ts';
import { identify, isAlive, type ProcessId } from '../proc/process-id.ts';

/** What is known of a demo that is up, in `state.json` of its directory. */
export interface DemoState {
  /** The process that answers for the demo. */
  supervisor: ProcessId;
  cluster: string;
  masterUrl: string;
  schedulerUrl: string;
  /** When it was started, milliseconds since the epoch. */
  since: number;
  /** The demo's programs by name, as they run now. */
  processes: Record<string, number>;
  /** The link to the executor that the demo made, to be taken away. */
  link?: ExecutorLink;
}

export interface ExecutorLink {
  path: string;
  target: string;
  /** Directories made for it, innermost first. */
  madeDirectories: string[];
}

/** One demo a user: root's in /run, another user's in their runtime directory or in /tmp. */
export function demoDirectory(uid: number, env: { XDG_RUNTIME_DIR?: string | undefined }): string {
  if (uid === 0) return '/run/mesosup-demo';
  return env.XDG_RUNTIME_DIR ? path.join(env.XDG_RUNTIME_DIR, 'mesosup-demo') : `/tmp/mesosup-demo-${uid}`;
}

/**
 * Makes the demo's directory, readable by this user alone; its making is the lock between two demos.
 *
 * @throws MesosupError when it is there: another demo has just been started, or it is somebody else's
 */
export async function claimDirectory(dir: string): Promise<void> {
  await mkdir(dir, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw new MesosupError(
      `${dir} is in use. If no demo is starting at this moment, look what it is and move it away.`,
    );
  });
}

/** Whether `dir` holds a demo that is up, the remains of one, or nothing. */
export async function inspectDirectory(
  dir: string,
): Promise<{ kind: 'none' } | { kind: 'up' | 'remains'; state: DemoState | undefined }> {
  const info = await lstat(dir).catch(() => undefined);
  if (!info) return { kind: 'none' };
  if (!info.isDirectory() || info.uid !== process.getuid?.()) {
    throw new MesosupError(
      `${dir} is not a directory of this user's, so it is left alone. Move it away to run a demo.`,
    );
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

/** Names this very process. */
export function identifySelf(): ProcessId {
  const id = identify(process.pid);
  if (!id) throw new MesosupError('/proc is not mounted: mesosup needs it to tell processes apart');
  return id;
}
