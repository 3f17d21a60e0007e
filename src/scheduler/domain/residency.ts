/**
 * Apps with persistent volumes, which Marathon calls resident: each instance stays on the agent with its volumes.
 * Source of names, defaults and rules: Marathon 1.11.
 */

import * as z from 'zod';
import { isJson, type Json } from '../../json.ts';
import { list, text, wholeNumber } from './app-fields.ts';

const MAX_MIB = 1e12;

/** The part of a volume that makes it persistent. */
export const persistentVolume = z.object(
  {
    /** On the disk with the agent's work directory, in a directory of another disk, or a disk as a whole. */
    type: z.enum(['root', 'path', 'mount'], { error: "must be 'root', 'path' or 'mount'" }).default('root'),
    /** MiB */
    size: wholeNumber(1, MAX_MIB),
    /** MiB. For disks as a whole, which may be larger than `size`. */
    maxSize: wholeNumber(1, MAX_MIB).optional(),
    /** Conditions for the path of the disk: `["path", "LIKE", PATTERN]`. */
    constraints: list(list(text, 3).min(2, 'must have a field, an operator and a value'), 100).default([]),
  },
  { error: 'must be an object with a size' },
);

interface AppVolume {
  readonly containerPath: string;
  readonly hostPath?: string | undefined;
  readonly mode: 'RW' | 'RO';
  readonly propagation?: string | undefined;
  readonly persistent?: z.output<typeof persistentVolume> | undefined;
}

export type PersistentVolume = AppVolume & { readonly persistent: NonNullable<AppVolume['persistent']> };

interface Volumes {
  readonly container?: { readonly volumes: readonly AppVolume[] } | undefined;
}

export function isPersistent(volume: AppVolume): volume is PersistentVolume {
  return volume.persistent !== undefined;
}

export function persistentVolumesOf({ container }: Volumes): PersistentVolume[] {
  return (container?.volumes ?? []).filter(isPersistent);
}

export function isResident(app: Volumes): boolean {
  return app.container?.volumes.some(isPersistent) ?? false;
}

/** Fills in the defaults that differ for apps with persistent volumes: no instance is started beside another. */
export function withResidency(sent: unknown): unknown {
  if (!isJson(sent)) return sent;
  const volumes =
    isJson(sent.container) && Array.isArray(sent.container.volumes) ? sent.container.volumes : [];
  if (!volumes.some((one: unknown) => isJson(one) && isJson(one.persistent))) {
    // Without effect, and not shown by Marathon either.
    const { residency: _, ...rest } = sent;
    return rest;
  }
  const { residency = {}, unreachableStrategy = 'disabled', upgradeStrategy = {} } = sent;
  return {
    ...sent,
    residency,
    unreachableStrategy,
    upgradeStrategy: isJson(upgradeStrategy)
      ? ({ minimumHealthCapacity: 0.5, maximumOverCapacity: 0, ...upgradeStrategy } as Json)
      : upgradeStrategy,
  };
}

interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

interface Fields extends Volumes {
  readonly unreachableStrategy: unknown;
  readonly upgradeStrategy: { readonly maximumOverCapacity: number };
  readonly mode: string;
  readonly acceptedResourceRoles?: readonly string[] | undefined;
}

/** Names in the sandbox of an executor that a link to a volume would replace. */
const TAKEN = ['stdout', 'stderr', 'tasks', 'fetched', 'executor.log', 'supervisor.pid'];

/** Finds invalid combinations of fields of an app with persistent volumes. */
export function* findResidencyProblems(app: Fields): Generator<Problem> {
  const { container, unreachableStrategy, upgradeStrategy, mode, acceptedResourceRoles } = app;
  if (!isResident(app)) return;
  if (unreachableStrategy !== 'disabled') {
    yield { path: ['unreachableStrategy'], message: "must be 'disabled' for an app with persistent volumes" };
  }
  if (upgradeStrategy.maximumOverCapacity !== 0) {
    const message = 'must be 0 for an app with persistent volumes';
    yield { path: ['upgradeStrategy', 'maximumOverCapacity'], message };
  }
  if (mode !== 'service') {
    yield { path: ['mode'], message: 'must be service for an app with persistent volumes' };
  }
  if (acceptedResourceRoles && (acceptedResourceRoles.length > 1 || acceptedResourceRoles[0] !== '*')) {
    const message =
      'must be ["*"] for an app with persistent volumes: only unreserved resources can be reserved';
    yield { path: ['acceptedResourceRoles'], message };
  }
  const paths = persistentVolumesOf(app).map(({ containerPath }) => containerPath);
  for (const [i, volume] of (container?.volumes ?? []).entries()) {
    if (!isPersistent(volume)) continue;
    const path = ['container', 'volumes', i];
    for (const problem of findVolumeProblems(volume)) yield { ...problem, path: [...path, ...problem.path] };
    if (paths.filter((one) => one === volume.containerPath).length > 1) {
      yield { path: [...path, 'containerPath'], message: 'must be different for each persistent volume' };
    }
  }
}

function* findVolumeProblems({
  containerPath,
  hostPath,
  propagation,
  mode,
  persistent,
}: PersistentVolume): Generator<Problem> {
  if (hostPath !== undefined) yield { path: ['hostPath'], message: "can't be combined with persistent" };
  if (propagation !== undefined)
    yield { path: ['propagation'], message: "can't be combined with persistent" };
  if (mode !== 'RW') yield { path: ['mode'], message: 'must be RW for a persistent volume' };
  if (containerPath.includes('/') || containerPath === '.' || containerPath === '..') {
    yield { path: ['containerPath'], message: "must be a name in the sandbox, without '/'" };
  } else if (TAKEN.includes(containerPath)) {
    yield {
      path: ['containerPath'],
      message: `may not be ${containerPath}, a name that the sandbox uses itself`,
    };
  } else if (/[,"\0]/.test(containerPath)) {
    yield { path: ['containerPath'], message: 'may not hold commas or quotes' };
  }
  const { type, size, maxSize, constraints } = persistent;
  if (maxSize !== undefined && type !== 'mount') {
    yield { path: ['persistent', 'maxSize'], message: 'is only for volumes of type mount' };
  }
  if (maxSize !== undefined && maxSize <= size) {
    yield { path: ['persistent', 'maxSize'], message: 'must be more than size' };
  }
  if (constraints.length > 0 && type === 'root') {
    yield { path: ['persistent', 'constraints'], message: 'are not for volumes of type root' };
  }
  for (const [i, [field, operator, value]] of constraints.entries()) {
    const path = ['persistent', 'constraints', i];
    if (field !== 'path') yield { path, message: "may only concern the field 'path'" };
    else if (operator !== 'LIKE' && operator !== 'UNLIKE') yield { path, message: 'must be LIKE or UNLIKE' };
    else if (value === undefined || !isPattern(value))
      yield { path, message: 'has no valid regular expression' };
  }
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

const UNCHANGED = ['cpus', 'mem', 'disk', 'gpus', 'requirePorts'] as const;

interface Reserved extends Volumes {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly gpus: number;
  readonly requirePorts: boolean;
  readonly portDefinitions: readonly { readonly port: number }[];
  readonly container?:
    | (NonNullable<Volumes['container']> & {
        readonly portMappings?: readonly { readonly hostPort?: number | undefined }[] | undefined;
      })
    | undefined;
}

/** Finds changes of an app that its reservations do not allow. As in Marathon, such a change needs a new app. */
export function* findReservedChanges(before: Reserved, after: Reserved): Generator<Problem> {
  if (!isResident(before) && !isResident(after)) return;
  const volumes = (app: Volumes) =>
    JSON.stringify(persistentVolumesOf(app).sort((a, b) => (a.containerPath < b.containerPath ? -1 : 1)));
  if (volumes(before) !== volumes(after)) {
    yield {
      path: ['container', 'volumes'],
      message: "can't be changed while there are persistent volumes: create a new app",
    };
  }
  for (const name of UNCHANGED) {
    if (before[name] === after[name]) continue;
    yield { path: [name], message: "can't be changed for an app with persistent volumes: create a new app" };
  }
  if (hostPortsOf(before) !== hostPortsOf(after)) {
    const path = after.container?.portMappings ? ['container', 'portMappings'] : ['portDefinitions'];
    yield { path, message: "can't change host ports of an app with persistent volumes: create a new app" };
  }
}

/** Service ports are assigned later, and may differ. */
function hostPortsOf({ container, portDefinitions, requirePorts }: Reserved): string {
  if (container?.portMappings) return container.portMappings.map(({ hostPort }) => hostPort ?? 0).join();
  return portDefinitions.map(({ port }) => (requirePorts ? port : 0)).join();
}
