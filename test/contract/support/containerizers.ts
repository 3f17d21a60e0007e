/** Finds the agents of the Mesos under test that can run containers without an executor of ours. */

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { inject } from 'vitest';
import { type AgentFlags, agentFlagsOf, findLacks } from '../../../src/scheduler/domain/agents.ts';
import { askJson } from './programs.ts';

export type Containerizer = 'docker' | 'mesos';

export interface Agent {
  readonly address: string;
  readonly flags: AgentFlags;
  /** A directory of images, or the URL of a registry. */
  readonly registry: string;
  /** True if it has networks of CNI, among them mesos-bridge. */
  readonly cni: boolean;
}

export async function findAgents(): Promise<Agent[]> {
  const { slaves } = await askJson<{ slaves: { pid: string; active: boolean }[] }>(
    inject('master'),
    '/slaves',
  );
  const found = slaves
    .filter(({ active }) => active)
    .map(async ({ pid }): Promise<Agent[]> => {
      const address = pid.split('@')[1] ?? '';
      const answer = await askJson<{ flags: Record<string, string> }>(address, '/flags');
      const flags = agentFlagsOf(answer);
      const cni = answer.flags.network_cni_config_dir !== undefined;
      return flags ? [{ address, flags, registry: answer.flags.docker_registry ?? '', cni }] : [];
    });
  return (await Promise.all(found)).flat();
}

/** @returns the agents that run images with a containerizer of Mesos; that of Mesos, from a directory of images */
export function agentsFor(agents: readonly Agent[], containerizer: Containerizer): Agent[] {
  return agents
    .filter(({ flags }) => findLacks({ askedAt: 0, answered: true, flags }, containerizer).length === 0)
    .filter(({ registry }) => containerizer === 'docker' || registry.startsWith('/'));
}

/** Saves images of this machine's Docker engine where these agents look for them. */
export async function saveImages(agents: readonly Agent[], images: readonly string[]): Promise<void> {
  for (const { registry } of agents) {
    for (const image of images) {
      const file = path.join(registry, `${image}.tar`);
      await mkdir(path.dirname(file), { recursive: true });
      await execa('docker', ['save', '--output', file, image]);
    }
  }
}
