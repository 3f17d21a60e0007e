/** An app's definition, normalized: what the API accepted, with every default filled in. */

/** By their numbers, which Marathon 0.1 sent in place of the names. */
export const CONSTRAINT_OPERATORS = ['UNIQUE', 'LIKE', 'CLUSTER', 'GROUP_BY', 'UNLIKE'] as const;
type ConstraintOperator = (typeof CONSTRAINT_OPERATORS)[number];

/** `[field, operator, value?]`; the field is `hostname` or the name of an agent's attribute. */
export type Constraint = readonly [field: string, operator: ConstraintOperator, value?: string];

interface Container {
  /** `docker:///name`, or a bare name. */
  readonly image: string;
  /** Passed on to `docker run`. */
  readonly options: readonly string[];
}

export interface App {
  readonly id: string;
  /** "" where `container.image` says what to run. */
  readonly cmd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly instances: number;
  readonly cpus: number;
  /** MiB */
  readonly mem: number;
  /** MiB */
  readonly disk: number;
  /** "" for the scheduler's default, `//cmd` for a plain command, or the absolute path of an executor. */
  readonly executor: string;
  readonly constraints: readonly Constraint[];
  readonly uris: readonly string[];
  /** Service ports, one for each host port of a task. 0 in a request means any that is free. */
  readonly ports: readonly number[];
  readonly taskRateLimit?: number;
  readonly container?: Container;
}

/** The image that `docker:///name` or `name` means. */
export function imageName(reference: string): string {
  return reference.startsWith('docker:///') ? reference.slice('docker:///'.length) : reference;
}
