/** Ids of apps and groups are paths, `/group/app`. v1 knew bare names: `x` there is `/x` here. */

export const ROOT = '/';

/** Task ids and sandbox directories are made of it. */
const MAX_ID_LENGTH = 200;
/** Source: Marathon's PathId. */
const SEGMENT = /^(?:(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.)*(?:[a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])$/;
/** Last segments that would hide an app behind a route of its group. */
const RESERVED: ReadonlySet<string> = new Set(['restart', 'tasks', 'versions', 'explain']);

/** An id as it was given, made absolute: relative ones count from `base`, `.` and `..` are resolved. */
export function absoluteId(id: string, base: string = ROOT): string {
  const segments: string[] = [];
  for (const segment of `${id.startsWith('/') ? '' : base}/${id}`.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}`;
}

/** @returns what is wrong with an absolute id for a new app or group, or undefined */
export function findIdProblem(id: string): string | undefined {
  if (id.length > MAX_ID_LENGTH) return `may have at most ${MAX_ID_LENGTH} characters`;
  const segments = id.split('/').slice(1);
  if (!segments.every((segment) => SEGMENT.test(segment))) {
    return "must be a path of segments that hold lower-case letters, digits, '-' and '.', and neither begin nor end with '-'";
  }
  const last = segments.at(-1) ?? '';
  return RESERVED.has(last) ? `may not end in '${last}', which is part of the API` : undefined;
}

/** The group an app or group is in; of the root itself, the root. */
export function parentOf(id: string): string {
  const end = id.lastIndexOf('/');
  return end <= 0 ? ROOT : id.slice(0, end);
}

/** All groups an id is in, from the nearest to the root. */
export function ancestorsOf(id: string): string[] {
  const found: string[] = [];
  for (let at = id; at !== ROOT; ) {
    at = parentOf(at);
    found.push(at);
  }
  return found;
}

/** Whether an app or group is in the group, at any depth. */
export function isWithin(id: string, group: string): boolean {
  return group === ROOT ? id !== ROOT : id.startsWith(`${group}/`);
}

/** Without the first slash and with `with` for the others: in task ids, and as v1 prints an app. */
export function flatId(id: string, joint = '_'): string {
  return id.slice(1).replaceAll('/', joint);
}

/** `/a/b` as `b.a`: how Marathon named tasks, and Mesos-DNS made host names of it. */
export function hostLikeId(id: string): string {
  return id.slice(1).split('/').reverse().join('.');
}
