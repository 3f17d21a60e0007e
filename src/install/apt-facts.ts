/** The result of simulating with a host's apt the installation of a plan's packages. */

export interface AptFacts {
  /** Packages that apt can't install or must not change, with the cause. */
  readonly obstacles: readonly AptObstacle[];
  /** Every package that apt would install, change or remove, except the plan's packages. */
  readonly changes: readonly AptChange[];
  /** Suites that a repository of the plan doesn't have. */
  readonly missingSuites: readonly { readonly url: string; readonly suite: string }[];
  /** Unreachable repositories, as apt reports them. While there are any, an absent package may exist after all. */
  readonly unreachable: readonly string[];
  /** Names of pins whose version no repository has. */
  readonly missingPins?: readonly string[];
  /** By package of the request, and the name that apt has for it: the version that apt would install, or has installed. */
  readonly candidates?: Readonly<Record<string, string>>;
  /** Bytes that apt would download. Missing if the simulation failed. */
  readonly downloadBytes?: number;
  /** The reason why the simulation failed; empty when it succeeded. */
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
      /** The version is that of `versions.lock`. */
      readonly locked?: true;
    }
  /** A preferences file excludes every version. `file` is empty where no file explains it. */
  | {
      readonly kind: 'pinned';
      readonly name: string;
      readonly file: string;
      readonly priority: number;
    }
  /** The package is on hold, and apt would change or remove it. */
  | { readonly kind: 'held'; readonly name: string; readonly version: string }
  /** Its dependencies can't be met. `reason` is apt's message, `suspects` are pins and holds among its dependencies. */
  | {
      readonly kind: 'unmet';
      readonly name: string;
      readonly reason: string;
      readonly suspects: readonly Suspect[];
    };

/** A dependency with a pin (`file` is its preferences file) or a hold. */
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
  /** The package of the plan that causes the change; missing where the dependencies don't show it. */
  readonly wantedBy?: string;
  /** For `remove`: the new package that it conflicts with. */
  readonly conflictsWith?: string;
}
