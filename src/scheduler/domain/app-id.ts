/** Ids of apps and groups, which are paths: `/group/app`. v1 has plain names: `x` in v1 is `/x` here. */

export const ROOT = '/';

/** Limited, since task ids and sandbox directories contain the id. */
const MAX_ID_LENGTH = 200;
/** Source: Marathon's PathId. */
const SEGMENT = /^(?:(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.)*(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])$/;
/** Last segments with which an app's path would collide with a route of the API. */
const RESERVED: ReadonlySet<string> = new Set(['restart', 'tasks', 'versions', 'explain']);

/** Makes an id absolute: relative ids start at `base`, `.` and `..` are resolved. */
export function absoluteId(id: string, base: string = ROOT): string {
  const segments: string[] = [];
  for (const segment of `${id.startsWith('/') ? '' : base}/${id}`.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}`;
}

/** Validates an absolute id for a new app or group. @returns the problem, or undefined */
export function findIdProblem(id: string): string | undefined {
  if (id.length > MAX_ID_LENGTH) return `may have at most ${MAX_ID_LENGTH} characters`;
  const segments = id.split('/').slice(1);
  if (!segments.every((segment) => SEGMENT.test(segment))) {
    return "must be a path of segments that hold lower-case letters, digits, '-' and '.', and neither begin nor end with '-'";
  }
  const last = segments.at(-1) ?? '';
  return RESERVED.has(last) ? `may not end in '${last}', which is part of the API` : undefined;
}

/** @returns the group that contains an app or group; for the root, the root itself */
export function parentOf(id: string): string {
  const end = id.lastIndexOf('/');
  return end <= 0 ? ROOT : id.slice(0, end);
}

/** @returns all groups that contain an id, from the innermost to the root */
export function ancestorsOf(id: string): string[] {
  const found: string[] = [];
  for (let at = id; at !== ROOT; ) {
    at = parentOf(at);
    found.push(at);
  }
  return found;
}

/** True if an app or group is in the group, at any depth. */
export function isWithin(id: string, group: string): boolean {
  return group === ROOT ? id !== ROOT : id.startsWith(`${group}/`);
}

/** Removes the first slash and replaces the others with `joint`, for task ids and for v1. */
export function flatId(id: string, joint = '_'): string {
  return id.slice(1).replaceAll('/', joint);
}

/** Converts `/a/b` to `b.a`, Marathon's task name, from which Mesos-DNS derives host names. */
export function hostLikeId(id: string): string {
  return id.slice(1).split('/').reverse().join('.');
}
