/** The requirements of an app for an agent, computed once for all of its tasks. */

import { toMilli } from '../../../mesos/resources.ts';
import type { App } from '../../domain/app.ts';
import { portsOf } from '../../domain/app.ts';
import type { FieldError } from '../../domain/field-errors.ts';
import { SCALARS, type Scalars } from '../../domain/placement.ts';
import { isResident, type PersistentVolume, persistentVolumesOf } from '../../domain/residency.ts';
import type { Settings } from '../../domain/settings.ts';
import { findForbidden } from '../tasks/forbidden.ts';
import { type Form, formOf } from '../tasks/form.ts';
import { noScalars, type Pool, UNRESERVED } from './pools.ts';

export interface Want {
  readonly form: Form;
  /** Why the scheduler's policy forbids the app. */
  readonly forbidden: string | undefined;
  readonly scalars: Scalars;
  /** Persistent volumes on disks of their own; those on the work directory's disk are part of `scalars`. */
  readonly disks: readonly PersistentVolume[];
  /** 0 for any port. */
  readonly hostPorts: readonly number[];
  /** True if the app accepts resources reserved for the scheduler's role, or unreserved resources. */
  readonly reserved: boolean;
  readonly unreserved: boolean;
  /** The accepted roles as the app names them. */
  readonly roles: readonly string[];
  /** The scheduler's role. */
  readonly role: string;
  /** Equal for apps with equal requirements, except for constraints. */
  readonly shape: string;
}

export function wantOf(app: App, settings: Settings): Want {
  const form = formOf(app, settings);
  const problem = findForbidden(app, form, settings);
  const forbidden = problem && `${problem.path.join('.')} ${problem.error}`;
  const scalars = noScalars();
  for (const name of SCALARS) scalars[name] = toMilli(app[name]);
  const resident = isResident(app);
  const disks = resident
    ? persistentVolumesOf(app).filter(({ persistent }) => persistent.type !== 'root')
    : [];
  for (const { persistent } of resident ? persistentVolumesOf(app) : []) {
    if (persistent.type === 'root') scalars.disk += toMilli(persistent.size);
  }
  const hostPorts = portsOf(app).map(({ hostPort }) => hostPort);
  const roles = rolesOf(app, settings);
  const amounts = SCALARS.map((name) => scalars[name]);
  return {
    form,
    forbidden,
    scalars,
    hostPorts,
    disks,
    // Only unreserved resources can be reserved.
    reserved: !resident && roles.some((role) => role !== UNRESERVED),
    unreserved: roles.includes(UNRESERVED),
    roles,
    role: settings.role,
    shape: [
      form.type,
      forbidden,
      ...amounts,
      roles,
      hostPorts,
      resident,
      ...disks.map((one) => JSON.stringify(one)),
    ].join(' '),
  };
}

/** Defaults to all offered resources. */
function rolesOf({ acceptedResourceRoles }: App, { role }: Settings): readonly string[] {
  return acceptedResourceRoles ?? (role === UNRESERVED ? [UNRESERVED] : [role, UNRESERVED]);
}

export function accepts(want: Want, { role }: Pool): boolean {
  return role === UNRESERVED ? want.unreserved : want.reserved;
}

/** Finds roles that are never offered, when the app is created or changed. */
export function findRoleProblem(
  { acceptedResourceRoles = [], role }: App,
  settings: Settings,
): FieldError | undefined {
  const known = new Set([settings.role, UNRESERVED]);
  const names = [...known].map((name) => `'${name}'`).join(' and ');
  for (const [i, accepted] of acceptedResourceRoles.entries()) {
    if (known.has(accepted)) continue;
    const error = `'${accepted}' is never offered: this scheduler has the role '${settings.role}' and is only offered resources of ${names}`;
    return { path: ['acceptedResourceRoles', i], error };
  }
  if (role === undefined || role === settings.role) return undefined;
  return { path: ['role'], error: `must be '${settings.role}', the role of this scheduler` };
}
