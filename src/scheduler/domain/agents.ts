/** What the flags of an agent say about its containerizers. */

import { isJson } from '../../json.ts';
import type { TaskStatus } from '../../mesos/types.ts';
import type { App } from './app.ts';

/** The flags of mesos-agent with these names, split at their commas. */
export interface AgentFlags {
  readonly containerizers: readonly string[];
  readonly image_providers: readonly string[];
  readonly isolation: readonly string[];
}

/** An agent that was asked for its flags. */
export interface KnownAgent {
  readonly askedAt: number;
  /** False until the first answer, or until the request has failed. */
  readonly answered: boolean;
  /** Absent if they can't be read: then the agent is assumed to have every containerizer. */
  readonly flags?: AgentFlags | undefined;
  /** The last time that the agent, whose flags can't be read, failed a task for lack of its containerizer. */
  readonly failed?: { readonly containerizer: OwnContainerizer; readonly at: number };
}

export type OwnContainerizer = NonNullable<App['containerizer']>;

/**
 * Reads an agent's answer to `GET /flags`: `{flags: {NAME: TEXT}}`, without flags that are not set.
 * @returns undefined if it names no containerizers
 */
export function agentFlagsOf(answer: unknown): AgentFlags | undefined {
  const flags = isJson(answer) ? answer.flags : undefined;
  if (!isJson(flags) || typeof flags.containerizers !== 'string') return undefined;
  const words = (name: string): string[] => {
    const value = flags[name];
    if (typeof value !== 'string') return [];
    return value.split(',').flatMap((word) => word.trim() || []);
  };
  return {
    containerizers: words('containerizers'),
    image_providers: words('image_providers'),
    isolation: words('isolation'),
  };
}

const FAILED =
  "the agent has failed a task for lack of the containerizer; its flags can't be read, so it is tried again within 6 minutes";

type Need = readonly [flag: keyof AgentFlags, word: string];

/** The isolator `docker/runtime` applies the image's entry point, directory and environment. */
const NEEDS: Readonly<Record<OwnContainerizer, readonly Need[]>> = {
  docker: [['containerizers', 'docker']],
  mesos: [
    ['containerizers', 'mesos'],
    ['image_providers', 'docker'],
    ['isolation', 'docker/runtime'],
  ],
};
const CONTAINER_NEEDS: readonly Need[] = [['containerizers', 'mesos']];

/**
 * @param withoutImage true for a container with the agent's file system
 * @returns for each flag that prevents the agent from running images with its containerizer: what it needs, and has
 */
export function findLacks(
  agent: KnownAgent | undefined,
  containerizer: OwnContainerizer,
  withoutImage = false,
): string[] {
  if (!agent) return [];
  if (!agent.answered) return ['the flags of the agent are being read'];
  const { flags, failed } = agent;
  if (!flags) return failed?.containerizer === containerizer ? [FAILED] : [];
  const needs = withoutImage ? CONTAINER_NEEDS : NEEDS[containerizer];
  return needs
    .filter(([flag, word]) => !flags[flag].some((one) => one.toLowerCase() === word))
    .map(([flag, word]) => {
      const has = flags[flag].length > 0 ? `is ${flags[flag].join(',')}` : 'is not set';
      return `${word} needed in --${flag} of the agent, which ${has}`;
    });
}

/** Until then, an agent gets no tasks for the containerizer that it lacked. */
const AVOID_MS = 300_000;

/** @returns the agent after an answer to the request for its flags; without flags, they can't be read */
export function answeredAgent(
  agent: KnownAgent | undefined,
  flags: AgentFlags | undefined,
  now: number,
): KnownAgent {
  const failed = !flags && agent?.failed && now - agent.failed.at < AVOID_MS ? agent.failed : undefined;
  return {
    askedAt: agent?.askedAt ?? now,
    answered: true,
    ...(flags && { flags }),
    ...(failed && { failed }),
  };
}

/** What agents report if none of their containerizers takes the task, or runs images. Seen on Mesos 1.11. */
const INCAPABLE = ['Abnormal executor termination: unknown container', 'Unsupported container image type'];

/** True if the task ended because its agent lacks the containerizer. */
export function showsLack({ state, message = '' }: Pick<TaskStatus, 'state' | 'message'>): boolean {
  return state === 'TASK_FAILED' && INCAPABLE.some((text) => message.includes(text));
}

/** The flags may change whenever an agent restarts, which schedulers don't see. */
const ASK_AGAIN_MS = 60_000;

export function mustAsk(agent: KnownAgent | undefined, now: number): boolean {
  return agent === undefined || now - agent.askedAt >= ASK_AGAIN_MS;
}
