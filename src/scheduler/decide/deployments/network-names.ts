import { canonicalJson } from '../../../json.ts';
import type { AppDefinition } from '../../domain/app-schema.ts';
import type { FieldError } from '../../domain/field-errors.ts';
import { sameNameText } from '../../domain/network-rules.ts';
import type { Settings } from '../../domain/settings.ts';

type Networks = Pick<AppDefinition, 'networks'>;

/** Fills in the default network for networks of the mode `container` without a name. */
export function withNetworkNames(
  definition: AppDefinition,
  { defaultNetworkName: name }: Pick<Settings, 'defaultNetworkName'>,
): AppDefinition {
  if (name === undefined || !definition.networks.some(lacksName)) return definition;
  return {
    ...definition,
    networks: definition.networks.map((one) => (lacksName(one) ? { ...one, name } : one)),
  };
}

/**
 * Finds a network without a name, for which Docker would use its default bridge, Mesos none; and one with the default
 * name that another entry has too.
 * @param before the previous definition; earlier releases accepted such networks, and their apps can still be scaled
 */
export function findNameProblem(
  { networks }: Networks,
  before: Networks | undefined,
): FieldError | undefined {
  if (before?.networks.some(lacksName)) return undefined;
  if (before && canonicalJson(before.networks) === canonicalJson(networks)) return undefined;
  const twice = networks.findIndex(({ name }, i) => networks.findIndex((one) => one.name === name) < i);
  const { name } = networks[twice] ?? {};
  if (name !== undefined) return { path: ['networks', twice, 'name'], error: sameNameText(name) };
  const index = networks.findIndex(lacksName);
  if (index < 0) return undefined;
  const error = 'may not be empty with the mode container: the scheduler has no --default_network_name';
  return { path: ['networks', index, 'name'], error };
}

function lacksName({ mode, name }: AppDefinition['networks'][number]): boolean {
  return mode === 'container' && name === undefined;
}
