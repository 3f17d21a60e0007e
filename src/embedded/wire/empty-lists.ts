import { isJson } from '../../json.ts';

/** Removes empty lists at any depth, as Mesos does: its messages do not tell them from missing ones. */
export function withoutEmptyLists<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutEmptyLists) as T;
  if (!isJson(value)) return value;
  const kept = Object.entries(value).filter(([, one]) => !(Array.isArray(one) && one.length === 0));
  return Object.fromEntries(kept.map(([name, one]) => [name, withoutEmptyLists(one)])) as T;
}
