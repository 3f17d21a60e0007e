/** Compares apps of files with those of the scheduler. */

import { isJson, type Json } from '../json.ts';
import { absoluteId, isWithin, parentOf } from '../scheduler/domain/app-id.ts';
import { readDefinition } from '../scheduler/domain/definition.ts';
import { ADDED_FIELDS } from '../scheduler/domain/unheeded-fields.ts';
import { count } from '../text/count.ts';
import { type Difference, differencesOf, differenceText } from './difference.ts';

export interface AppPlan {
  readonly id: string;
  readonly change: 'create' | 'change' | 'remove' | 'keep';
  /** For `create`, all fields of the file. */
  readonly differences: readonly Difference[];
}

/**
 * @param wanted valid definitions with absolute ids
 * @param current the scheduler's answer
 * @param pruned groups whose other apps are removed
 */
export function planApply(
  wanted: readonly (Json & { readonly id: string })[],
  current: readonly { readonly id: string }[],
  pruned: readonly string[],
): AppPlan[] {
  const known = new Map(current.map((app) => [app.id, definitionFields({ ...app })]));
  const plans = wanted.map((app): AppPlan => {
    const before = known.get(app.id);
    if (!before) return { id: app.id, change: 'create', differences: differencesOf({}, app) };
    const differences = differencesOf(before, completed(app, before));
    return { id: app.id, change: differences.length > 0 ? 'change' : 'keep', differences };
  });
  const ids = new Set(wanted.map(({ id }) => id));
  const removed = current
    .filter(({ id }) => !ids.has(id) && pruned.some((group) => isWithin(id, group)))
    .map(({ id }): AppPlan => ({ id, change: 'remove', differences: [] }));
  return [...plans, ...removed];
}

/** With all defaults, and what the scheduler chose for the current definition. */
export function completed(app: Json, current: Json): Json {
  return withChoices(normalized(app), current);
}

function normalized(app: Json): Json {
  const read = readDefinition(app);
  if ('errors' in read) return app;
  const { definition } = read;
  const parent = parentOf(definition.id);
  const dependencies = definition.dependencies.map((one) => absoluteId(one, parent));
  return definitionFields({ ...definition, dependencies });
}

/** Leaves out what only answers contain, and what they leave out. */
export function definitionFields(app: Json): Json {
  const own = Object.entries(app).filter(
    ([name, value]) =>
      !ADDED_FIELDS.has(name) && value !== undefined && !(name === 'mode' && value === 'service'),
  );
  return Object.fromEntries(own);
}

/** The scheduler chooses the service ports that are 0, and the role of an app that names none. */
function withChoices(app: Json, before: Json): Json {
  const container = isJson(app.container) ? app.container : undefined;
  const oldContainer = isJson(before.container) ? before.container : {};
  const role = app.role ?? before.role;
  return {
    ...app,
    ...(role !== undefined && { role }),
    portDefinitions: withChosen(app.portDefinitions, before.portDefinitions, 'port'),
    ...(container && {
      container: {
        ...container,
        portMappings: withChosen(container.portMappings, oldContainer.portMappings, 'servicePort'),
      },
    }),
  };
}

function withChosen(ports: unknown, before: unknown, name: string): unknown {
  if (!Array.isArray(ports) || !Array.isArray(before)) return ports;
  return ports.map((port, i) => {
    const old: unknown = before[i];
    return isJson(port) && isJson(old) && port[name] === 0 ? { ...port, [name]: old[name] } : port;
  });
}

const SIGNS = { create: '+', change: '~', remove: '-', keep: ' ' };
const WORDS = { create: 'is created', change: 'is changed', remove: 'is removed', keep: 'is unchanged' };

/** A line for each app, with its differences below it. */
export function applyText(plans: readonly AppPlan[]): string {
  return plans
    .flatMap(({ id, change, differences }) => [
      `${SIGNS[change]} ${id} ${WORDS[change]}`,
      ...differences.map((one) => `    ${differenceText(one)}`),
    ])
    .join('\n');
}

/** For a question: `Create 1 app, change 2 apps?` */
export function applyQuestion(plans: readonly AppPlan[]): string {
  const parts = (['create', 'change', 'remove'] as const).flatMap((change) => {
    const number = plans.filter((one) => one.change === change).length;
    return number > 0 ? [`${change} ${count(number, 'app')}`] : [];
  });
  const text = parts.join(', ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}?`;
}
