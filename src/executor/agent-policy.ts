/** Reads the agent's policy, and finds out where the sources of a container's mounts really are. */

import { readFileSync, statSync } from 'node:fs';
import { lstat, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { DockerEngine } from '../docker/engine.ts';
import { containsSecrets } from './domain/image-policy.ts';
import {
  type AgentPolicy,
  admittedPlan,
  isClosed,
  mountedSources,
  type PolicyReading,
  policyOf,
  policyProblem,
  type ResolvedSources,
} from './domain/policy.ts';
import type { ContainerPlan } from './domain/task-plan.ts';

/** Permissions of users that are neither the owner nor of the group. */
export const OTHERS = 0o007;

/** Never throws. Without the file, the policy is empty. */
export function readPolicy(file: string): PolicyReading {
  let content: string;
  let mode: number;
  try {
    mode = statSync(file).mode;
    content = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { file, policy: {} };
    return { file, problem: `can't be read: ${(error as Error).message}` };
  }
  let policy: unknown;
  try {
    policy = JSON.parse(content);
  } catch {
    // The message of the parser quotes the content, which may contain passwords.
    return { file, problem: 'is not valid JSON' };
  }
  const problem = policyProblem(policy);
  if (problem !== undefined) return { file, problem };
  if (mode & OTHERS && containsSecrets(policy as AgentPolicy))
    return { file, problem: `contains passwords, but other users can read it. Run: chmod 600 ${file}` };
  return { file, policy: policy as AgentPolicy };
}

/**
 * Checks a container against the policy as it is now, and replaces links in the paths that it mounts.
 * @throws TaskInvalidError if the policy forbids the container, or can't be read
 */
export async function admitContainer(
  plan: ContainerPlan,
  policyFile: string,
  engine: Pick<DockerEngine, 'inspectVolume'>,
): Promise<{ plan: ContainerPlan; policy: AgentPolicy }> {
  const reading = readPolicy(policyFile);
  const policy = policyOf(reading);
  const sources = isClosed(policy) ? await resolveSources(plan, policy, engine) : undefined;
  return { plan: admittedPlan(plan, reading, sources), policy };
}

async function resolveSources(
  plan: ContainerPlan,
  { allowedHostPaths = [] }: AgentPolicy,
  engine: Pick<DockerEngine, 'inspectVolume'>,
): Promise<ResolvedSources> {
  const paths = new Map<string, string | undefined>();
  const volumes = new Map<string, string>();
  for (const { path: allowed } of allowedHostPaths) paths.set(allowed, await resolvePath(allowed));
  for (const { from, source } of mountedSources(plan)) {
    if (from === 'host') {
      paths.set(source, await resolvePath(source));
    } else {
      const device = (await engine.inspectVolume(source))?.Options?.device;
      if (device === undefined) continue;
      volumes.set(source, (path.isAbsolute(device) ? await resolvePath(device) : undefined) ?? device);
    }
  }
  return { paths, volumes };
}

/**
 * Resolves the links in a path. The end of the path may be missing, since Docker creates a missing directory.
 * @returns undefined for a link that leads nowhere, and for a path that can't be read
 */
async function resolvePath(source: string): Promise<string | undefined> {
  // Docker resolves ".." in the same way, before links.
  const clean = path.posix.normalize(source).replace(/(?<=.)\/+$/, '');
  try {
    return await realpath(clean);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return undefined;
  }
  const isLink = await lstat(clean).then(
    () => true,
    () => false,
  );
  if (isLink) return undefined;
  const parent = await resolvePath(path.posix.dirname(clean));
  return parent === undefined ? undefined : path.posix.join(parent, path.posix.basename(clean));
}
