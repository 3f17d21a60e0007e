/** Chooses what runs the image of an app: mesosup's Docker executor, or one of Mesos' own containerizers. */

import { type App, imageOf } from './app.ts';
import type { AppDefinition } from './app-schema.ts';
import type { FieldError } from './field-errors.ts';

/** `executor`: the Docker executor; `docker` and `mesos`: the containerizer of the agent with that name. */
export const CONTAINERIZERS = ['executor', 'docker', 'mesos'] as const;
export type Containerizer = (typeof CONTAINERIZERS)[number];

/** The label with which an app chooses. */
export const CONTAINERIZER_LABEL = 'MESOSUP_CONTAINERIZER';

/** The executor of Mesos, for apps that must not have another one. */
export const COMMAND_EXECUTOR = '//cmd';

export function isContainerizer(name: string | undefined): name is Containerizer {
  return CONTAINERIZERS.some((one) => one === name);
}

type Definition = Pick<AppDefinition, 'container' | 'executor' | 'labels'>;

/**
 * Chooses for a new app: by its label, its executor, and its `container.type`, in that order. An app of type DOCKER that
 * names none gets the preset.
 */
function choose(definition: Definition, preset: Containerizer): Containerizer {
  const { container, executor, labels } = definition;
  const named = labels[CONTAINERIZER_LABEL];
  if (isContainerizer(named)) return named;
  const own = container?.type === 'DOCKER' ? 'docker' : 'mesos';
  if (executor === COMMAND_EXECUTOR) return own;
  if (executor !== '') return 'executor';
  return own === 'mesos' ? 'mesos' : preset;
}

/**
 * Chooses for the next version of an app. The choice changes only with the fields that it depends on: neither another
 * preset nor another release moves the tasks of an app, and apps of releases without a choice stay with the executor.
 * @param last the version before
 * @returns undefined for the executor, and for apps without an image in v2's fields
 */
export function nextContainerizer(
  definition: Definition,
  api: App['api'],
  last: App | undefined,
  preset: Containerizer,
): App['containerizer'] {
  if (api !== 'v2' || imageOf(definition) === undefined) return undefined;
  if (last && keyOf(last) === keyOf(definition)) return last.containerizer;
  const chosen = choose(definition, preset);
  return chosen === 'executor' ? undefined : chosen;
}

function keyOf({ container, executor, labels }: Definition): string {
  const hasImage = container?.docker !== undefined;
  return JSON.stringify([labels[CONTAINERIZER_LABEL], executor, container?.type, hasImage]);
}

/** Finds a choice that is unknown or has no effect. */
export function findContainerizerProblem({ labels, executor, api, ...app }: App): FieldError | undefined {
  const named = labels[CONTAINERIZER_LABEL];
  if (named === undefined) return undefined;
  const path = ['labels', CONTAINERIZER_LABEL];
  if (!isContainerizer(named)) return { path, error: `must be one of ${CONTAINERIZERS.join(', ')}` };
  if (api !== 'v2' || imageOf(app) === undefined) {
    return { path, error: 'has no effect without container.docker.image' };
  }
  if (executor === '' || (executor === COMMAND_EXECUTOR) === (named !== 'executor')) return undefined;
  return { path, error: `can't be ${named} with the executor ${executor}: remove one of them` };
}
