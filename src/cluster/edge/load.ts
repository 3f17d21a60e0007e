/** Loads the cluster of a command: from a file, from options, or from the last install. */

import { readFile, realpath, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MesosupError, UsageError } from '../../errors/mesosup-error.ts';
import { unreadable } from '../../errors/unreadable.ts';
import { fewLines } from '../../text/few-lines.ts';
import type { AptRepository, Cluster } from '../cluster.ts';
import { formatSpecError } from '../spec-errors.ts';
import { ClusterState, knownClusters } from './cluster-state.ts';
import { replaceFile } from './replace-file.ts';

export const SPEC_FILE = 'cluster.yaml';

export interface LoadOptions {
  /** `--file`; defaults to `cluster.yaml` in the working directory, if it exists and `overrides` have no hosts. */
  readonly file?: string;
  /** `--hosts` and related options, in the form of a spec (`overridesOf`). */
  readonly overrides: Readonly<Record<string, unknown>>;
  /** `--state`: the directory of this cluster's state; defaults to the cluster's name below `stateHome`. */
  readonly state?: string;
  /** Changes the text of the file before it is read. @throws UsageError */
  readonly edit?: (text: string, file: string) => string;
}

export interface Surroundings {
  readonly directory: string;
  readonly home: string;
  readonly stateHome: string;
}

export interface LoadedCluster {
  readonly cluster: Cluster;
  readonly state: ClusterState;
  /** The file that describes the cluster, if there is one, its text before the edit, and after it. */
  readonly file?: { readonly path: string; readonly written: string; readonly text: string };
}

/** @throws UsageError, MesosupError */
export async function loadCluster(options: LoadOptions, where: Surroundings): Promise<LoadedCluster> {
  const stateOf = (name: string) =>
    new ClusterState(
      options.state === undefined
        ? path.join(where.stateHome, name)
        : path.resolve(where.directory, options.state),
    );
  const hasHosts = 'hosts' in options.overrides;
  const file = path.resolve(where.directory, options.file ?? SPEC_FILE);
  const written = hasHosts && options.file === undefined ? undefined : await readSpec(file, options.file);
  const text =
    written === undefined ? undefined : (options.edit?.(written, shownPath(file, where)) ?? written);
  if (text === undefined && !hasHosts) {
    const name = options.overrides.name;
    const state = stateOf(typeof name === 'string' ? name : DEFAULT_NAME);
    const stored = await state.cluster();
    if (stored) return { cluster: stored, state };
    const others = await knownClusters(where.stateHome);
    const choose =
      others.length > 0
        ? `Choose one of the clusters installed from this machine with --name: ${others.join(', ')}.`
        : 'Make the file with "mesosup init", or name the hosts with --hosts a,b,c or --local.';
    throw new UsageError(
      `there is no ${SPEC_FILE} in this directory, and no cluster "${path.basename(state.directory)}" was installed from this machine`,
      { remedy: `${choose} Another cluster file: --file FILE` },
    );
  }
  const { clusterFrom, parseSpec } = await import('../spec.ts');
  const result =
    text === undefined
      ? clusterFrom(options.overrides, '--hosts')
      : parseSpec(text, shownPath(file, where), options.overrides);
  if (!result.ok) throw new UsageError(fewLines(result.errors.map(formatSpecError)));
  const base = text === undefined ? where.directory : path.dirname(file);
  const cluster = withFullPaths(result.value, (name) => fullPath(name, base, where.home));
  return {
    cluster,
    state: stateOf(cluster.name),
    ...(text !== undefined && { file: { path: file, written: written ?? text, text } }),
  };
}

function shownPath(file: string, { directory }: Surroundings): string {
  const shown = path.relative(directory, file);
  return shown.startsWith('..') ? file : shown;
}

/** Replaces the text of a cluster's file atomically; a link stays. @throws MesosupError, also if it was changed meanwhile */
export async function writeSpec(spec: NonNullable<LoadedCluster['file']>): Promise<void> {
  const { path: name, written, text } = spec;
  if ((await readSpec(name, name)) !== written) {
    throw new MesosupError(`${name} has been changed since it was read`, {
      path: name,
      remedy: 'Run the same command again.',
    });
  }
  const file = await realpath(name).catch(() => name);
  const remedy = 'Make it and its directory writable, then run the same command again.';
  const write = async (draft: string): Promise<void> => {
    const { mode } = await stat(file);
    await writeFile(draft, text, { flag: 'wx', mode: mode & 0o777, flush: true });
  };
  await replaceFile(file, remedy, write, name);
}

const DEFAULT_NAME = 'mesosup';

async function readSpec(file: string, named: string | undefined): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && named === undefined) return undefined;
    throw unreadable(named ?? file, error);
  }
}

function fullPath(name: string, base: string, home: string): string {
  return path.resolve(base, name.replace(/^~(?=\/|$)/, home));
}

/** Resolves paths in a spec relative to its directory; `~` is the home directory. */
function withFullPaths(cluster: Cluster, full: (name: string) => string): Cluster {
  const at = <T extends object>(place: T): T =>
    'file' in place && typeof place.file === 'string' ? { ...place, file: full(place.file) } : place;
  const repository = (from: AptRepository): AptRepository => ({ ...from, key: at(from.key) });
  const { mesos, docker } = cluster;
  return {
    ...cluster,
    mesos:
      mesos.kind === 'package'
        ? { ...mesos, from: at(mesos.from) }
        : mesos.kind === 'preinstalled'
          ? mesos
          : { ...mesos, repository: repository(mesos.repository) },
    docker: docker.kind === 'docker-ce' ? { ...docker, repository: repository(docker.repository) } : docker,
    hosts: cluster.hosts.map((host) => {
      const { connection } = host;
      if (connection.kind === 'local' || connection.key === undefined) return host;
      return { ...host, connection: { ...connection, key: full(connection.key) } };
    }),
  };
}
