/** Chooses what runs the image of an app: mesosup's Docker executor, or one of Mesos' own containerizers. */

import { type App, imageOf } from './app.ts';
import type { AppDefinition } from './app-schema.ts';
import { CONTAINERIZERS, type Containerizer, isContainerizer } from './containerizer-name.ts';
import type { FieldError } from './field-errors.ts';

/** The label with which an app chooses. */
export const CONTAINERIZER_LABEL = 'MESOSUP_CONTAINERIZER';

/** Marathon's name of the default executor. */
export const COMMAND_EXECUTOR = '//cmd';

/** True if the executor does not decide what runs an image. */
export function isDefaultExecutor(executor: string): boolean {
  return executor === '' || executor === COMMAND_EXECUTOR;
}

type Definition = Pick<AppDefinition, 'container' | 'executor' | 'labels' | 'networks'>;

/**
 * Chooses for a new app: by its label, its executor, and its `container.type`, in that order. An app of type DOCKER with
 * the default executor (`//cmd`, or none) gets the preset.
 */
function choose(definition: Definition, preset: Containerizer): Containerizer {
  const { container, executor, labels } = definition;
  const named = labels[CONTAINERIZER_LABEL];
  if (isContainerizer(named)) return named;
  if (!isDefaultExecutor(executor)) return 'executor';
  return container?.type === 'DOCKER' ? preset : 'mesos';
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
  if (api !== 'v2') return undefined;
  if (imageOf(definition) === undefined) return needsContainer(definition) ? 'mesos' : undefined;
  if (last && keyOf(last) === keyOf(definition)) return last.containerizer;
  const chosen = choose(definition, preset);
  return chosen === 'executor' ? undefined : chosen;
}

/** True if a command needs a container without an image: for its volumes or its networks. */
function needsContainer({ container, executor, networks }: Definition): boolean {
  if (container === undefined || !isDefaultExecutor(executor)) return false;
  return container.volumes.length > 0 || networks.some(({ mode }) => mode !== 'host');
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
  if (named === 'executor' || isDefaultExecutor(executor)) return undefined;
  return { path, error: `can't be ${named} with the executor ${executor}: remove one of them` };
}
