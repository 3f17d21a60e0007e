/** Parses an agent's resources in JSON, the form in which the flag `--resources` can name further disks. */

import { MesosupError } from '../../errors/mesosup-error.ts';
import { isJson, parseJson } from '../../json.ts';
import type { Resource } from '../../mesos/types.ts';
import { checkShape, RESOURCE } from './shape.ts';

/** `[{"name": "disk", "type": "SCALAR", "scalar": {"value": 9}, "disk": {"source": {"type": "PATH", …}}}, …]` */
export function parseResourceJson(text: string): Resource[] {
  const value = parseJson(text);
  if (!Array.isArray(value))
    throw new MesosupError(`Failed to parse resources: '${text}' is not a JSON array`);
  return value.map((one: unknown) => {
    const wrong = checkShape(one, RESOURCE);
    if (wrong !== undefined || !isJson(one)) throw refused(one, wrong ?? 'it is not an object');
    return supported(one as unknown as Resource);
  });
}

/** Reservations by the agent, sets and other kinds of disks are not supported. */
function supported(resource: Resource): Resource {
  const { name, type, scalar, ranges, role = '*', disk, ...rest } = resource;
  const other = Object.keys(rest)[0];
  if (other !== undefined) throw refused(resource, `${other} is not supported`);
  if (role !== '*') throw refused(resource, 'only unreserved resources are supported');
  const value = type === 'SCALAR' ? scalar?.value : type === 'RANGES' ? ranges : undefined;
  if (value === undefined || (typeof value === 'number' && value < 0)) {
    throw refused(
      resource,
      'it needs the type SCALAR with a value that is not negative, or RANGES with ranges',
    );
  }
  const { type: kind, path, mount } = disk?.source ?? {};
  const root = kind === 'PATH' ? path?.root : kind === 'MOUNT' ? mount?.root : undefined;
  if (disk && (root === undefined || disk.persistence || disk.volume || name !== 'disk')) {
    throw refused(resource, 'a disk needs a source of type PATH or MOUNT with a root, and nothing else');
  }
  return { name, type, ...(scalar && { scalar }), ...(ranges && { ranges }), ...(disk && { disk }) };
}

function refused(resource: unknown, why: string): MesosupError {
  return new MesosupError(`Invalid resource ${JSON.stringify(resource)}: ${why}`);
}
