/** Refuses fields that one of Mesos' own containerizers would ignore, since it has no message for them. */

import type { App } from '../../domain/app.ts';
import type { FieldError } from '../../domain/field-errors.ts';

interface Supported {
  readonly name: string;
  /** Fields by the path of their object. Any other field that is in use is refused, also a later one. */
  readonly container: readonly string[];
  readonly docker: readonly string[];
  /** The hint for fields of `docker` that the containerizer can't have. */
  readonly instead: string;
}

const EXECUTOR = 'label the app with MESOSUP_CONTAINERIZER: executor';

/** A field of `docker` that Marathon accepts for the Mesos containerizer and does not pass on. */
const WITHOUT_EFFECT = 'privileged';

const SUPPORTED: Readonly<Record<NonNullable<App['containerizer']>, Supported>> = {
  docker: {
    name: "Mesos' Docker containerizer",
    container: ['type', 'docker', 'volumes', 'portMappings'],
    docker: ['image', 'forcePullImage', 'privileged', 'parameters'],
    instead: `use docker.parameters, or ${EXECUTOR}`,
  },
  mesos: {
    name: 'the Mesos containerizer',
    container: ['type', 'docker', 'volumes', 'portMappings'],
    docker: ['image', 'forcePullImage', WITHOUT_EFFECT],
    instead: EXECUTOR,
  },
};

const VOLUME = ['containerPath', 'hostPath', 'mode', 'persistent'];
const NETWORK = ['mode', 'name'];
const MODES = ['host', 'container', 'container/bridge'];

/** Lists the fields of an app that its containerizer does not have, and that Marathon accepts too. */
export function findUnusedFields({
  container,
  containerizer,
}: Pick<App, 'container' | 'containerizer'>): FieldError[] {
  if (containerizer !== 'mesos' || !container?.docker?.[WITHOUT_EFFECT]) return [];
  const error = `has no effect with ${SUPPORTED.mesos.name}, as in Marathon`;
  return [{ path: ['container', 'docker', WITHOUT_EFFECT], error }];
}

/** @returns the first field of the app that its containerizer can't honour */
export function findUnsupportedField(
  app: App,
  containerizer: NonNullable<App['containerizer']>,
): FieldError | undefined {
  for (const problem of problemsOf(app, containerizer)) return problem;
  return undefined;
}

function* problemsOf(app: App, containerizer: keyof typeof SUPPORTED): Generator<FieldError> {
  const { name, instead, ...fields } = SUPPORTED[containerizer];
  const refused = `is not supported by ${name}`;
  const { container, networks } = app;
  const { docker, volumes = [] } = container ?? {};
  yield* others(container, fields.container, ['container'], `${refused}: ${EXECUTOR}`);
  yield* others(docker, fields.docker, ['container', 'docker'], `${refused}: ${instead}`);
  for (const [i, volume] of volumes.entries()) {
    const path = ['container', 'volumes', i];
    yield* others(volume, VOLUME, path, `${refused}: ${EXECUTOR}`);
  }
  for (const [i, network] of networks.entries()) {
    const path = ['networks', i];
    yield* others(network, NETWORK, path, `${refused}: ${EXECUTOR}`);
    if (!MODES.includes(network.mode)) yield { path: [...path, 'mode'], error: `${refused}: ${EXECUTOR}` };
    if (network.mode === 'container' && network.name === undefined) {
      yield { path: [...path, 'name'], error: `may not be empty with ${name}` };
    }
  }
  if (containerizer === 'docker' && networks.length > 1) {
    yield { path: ['networks'], error: `may have only one entry with ${name}` };
  }
  if (containerizer === 'docker' && app.gpus > 0) {
    yield { path: ['gpus'], error: `${refused}: use container.type MESOS, or ${EXECUTOR}` };
  }
  if (containerizer === 'docker' && app.user !== undefined) {
    yield { path: ['user'], error: `${refused}: use docker.parameters with the key user` };
  }
  if (networks.length > 1) {
    for (const [i, { hostPort }] of (container?.portMappings ?? []).entries()) {
      if (hostPort === undefined) continue;
      const error = `${refused} in several networks: name only one network`;
      yield { path: ['container', 'portMappings', i, 'hostPort'], error };
    }
  }
}

function* others(
  value: object | undefined,
  supported: readonly string[],
  path: readonly (string | number)[],
  error: string,
): Generator<FieldError> {
  for (const [name, field] of Object.entries(value ?? {})) {
    if (!supported.includes(name) && isInUse(field)) yield { path: [...path, name], error };
  }
}

/** False for missing fields and empty defaults. */
function isInUse(value: unknown): boolean {
  if (value === undefined || value === false || value === '' || value === 0) return false;
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
}
