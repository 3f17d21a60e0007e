/** Reads a cluster from the text of a `cluster.yaml`, from options, or from both. */

import { isJson } from '../json.ts';
import { buildCluster } from './build.ts';
import type { Cluster } from './cluster.ts';
import { type Complaint, complaintsOf, type SpecError } from './spec-errors.ts';
import { type Spec, specSchema } from './spec-schema.ts';
import { checkTopology } from './topology.ts';
import { readYaml } from './yaml-text.ts';

export type SpecResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly errors: readonly SpecError[] };

/** Tables in which a key without a value has a meaning. */
const TABLES = new Set(['attributes', 'resources', 'masterFlags', 'agentFlags', 'schedulerFlags', 'lbFlags']);

/**
 * Returns the cluster that the text describes, or all errors.
 * @param file name for errors
 * @param overrides keys that replace the text's own keys, in the form of the text (see `overridesOf`)
 */
export function parseSpec(
  text: string,
  file: string,
  overrides: Readonly<Record<string, unknown>> = {},
): SpecResult<Cluster> {
  const yaml = readYaml(text, file);
  if (yaml.errors.length > 0) return { ok: false, errors: yaml.errors };
  const written = yaml.value === '' ? {} : yaml.value;
  const input = isJson(written) ? { ...written, ...overrides } : written;
  const checked = checkSpec(input);
  if (!checked.ok) return { ok: false, errors: inOrder(checked.complaints.map(yaml.locate)) };
  return complete(checked.spec, yaml.locate);
}

/** Returns the cluster that the options describe. Errors have `source` as their file, for example `--hosts`. */
export function clusterFrom(
  overrides: Readonly<Record<string, unknown>>,
  source: string,
): SpecResult<Cluster> {
  const checked = checkSpec(overrides);
  const locate = (complaint: Complaint): SpecError => ({ file: source, ...complaint });
  if (!checked.ok) return { ok: false, errors: checked.complaints.map(locate) };
  return complete(checked.spec, locate);
}

function complete(spec: Spec, locate: (complaint: Complaint) => SpecError): SpecResult<Cluster> {
  const cluster = buildCluster(spec);
  const complaints = checkTopology(cluster);
  if (complaints.length > 0) return { ok: false, errors: inOrder(complaints.map(locate)) };
  return { ok: true, value: cluster };
}

/** Checks the form of a spec, without defaults. */
export function checkSpec(
  input: unknown,
): { readonly ok: true; readonly spec: Spec } | { readonly ok: false; readonly complaints: Complaint[] } {
  const tidy = withoutEmpty(input);
  const result = specSchema.safeParse(tidy);
  if (result.success) return { ok: true, spec: result.data };
  return { ok: false, complaints: result.error.issues.flatMap((issue) => complaintsOf(issue, tidy)) };
}

/** Removes keys without a value, which count as missing. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (!isJson(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== '')
      .map(([key, inner]) => [key, TABLES.has(key) ? inner : withoutEmpty(inner)]),
  );
}

function inOrder(errors: readonly SpecError[]): SpecError[] {
  return errors.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}
