/** The answer of one host's apt to the question what it would do with the packages of a plan. */

export interface AptFacts {
  /** Packages that apt can't install or must not change, each with the cause. */
  readonly obstacles: readonly AptObstacle[];
  /** Every package that apt would install, change or remove, except those that the plan names itself. */
  readonly changes: readonly AptChange[];
  /** Suites that a repository of the plan doesn't have. */
  readonly missingSuites: readonly { readonly url: string; readonly suite: string }[];
  /** Repositories that gave no answer, as apt reports them. With one of them, a package that is absent proves nothing. */
  readonly unreachable: readonly string[];
  /** Why apt could not say what it would do; empty when it could. */
  readonly failure: string;
}

export type AptObstacle =
  /** No repository of the host has the package. */
  | { readonly kind: 'absent'; readonly name: string }
  /** The repositories have other versions only. */
  | {
      readonly kind: 'version';
      readonly name: string;
      readonly wanted: string;
      readonly available: readonly string[];
    }
  /** A preferences file excludes every version. `file` is empty where none of them explains it. */
  | {
      readonly kind: 'pinned';
      readonly name: string;
      readonly file: string;
      readonly priority: number;
    }
  /** The owner holds the package at a version, and apt would change or remove it. */
  | { readonly kind: 'held'; readonly name: string; readonly version: string }
  /** Its dependencies can't be met; `reason` is apt's own line, `suspects` are pins and holds among its dependencies. */
  | {
      readonly kind: 'unmet';
      readonly name: string;
      readonly reason: string;
      readonly suspects: readonly Suspect[];
    };

/** A dependency with a pin (of which `file` is the preferences file) or with a hold. */
export interface Suspect {
  readonly name: string;
  readonly file?: string;
  readonly heldAt?: string;
}

export interface AptChange {
  readonly name: string;
  readonly action: 'install' | 'upgrade' | 'downgrade' | 'remove';
  /** The version on the host; missing for `install`. */
  readonly from?: string;
  /** Missing for `remove`. */
  readonly to?: string;
  /** The package of the plan that brings the change; missing where the dependencies don't show it. */
  readonly wantedBy?: string;
  /** Of a `remove`: the new package it conflicts with. */
  readonly conflictsWith?: string;
}
