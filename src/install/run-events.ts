/** Events that an apply script writes while it runs, one JSON object a line. The host keeps them for later readers. */

export type RunEvent =
  | { readonly event: 'begin'; readonly run: string; readonly items: number; readonly at: number }
  /** `item` counts from 0 in the host's plan. */
  | { readonly event: 'start'; readonly item: number; readonly at: number }
  /** The run waits, with the reason: `the dpkg lock is held by unattended-upgr (812)`. */
  | { readonly event: 'wait'; readonly item: number; readonly reason: string; readonly at: number }
  /** The progress of apt in percent: first of its downloads, then of dpkg; at most once a second. */
  | {
      readonly event: 'progress';
      readonly item: number;
      readonly percent: number;
      /** `Retrieving file 3 of 40 (12s remaining)`, `Unpacking docker.io (amd64)` */
      readonly text: string;
      readonly at: number;
    }
  /** A line of a program's output. */
  | { readonly event: 'log'; readonly item: number; readonly line: string }
  | { readonly event: 'done'; readonly item: number; readonly at: number }
  | {
      readonly event: 'failed';
      readonly item: number;
      /** A key: `package`, `hash`, `disk`, `signature`, `service`, `wait`, `drift`, `command` … */
      readonly failure: string;
      readonly message: string;
      readonly remedy: string;
      readonly at: number;
    }
  /** Users and groups that packages created and left behind: `user zookeeper, group docker`. */
  | { readonly event: 'left'; readonly accounts: string }
  /** Packages with their versions that an uninstall could not install again. */
  | { readonly event: 'unrestored'; readonly packages: string }
  | { readonly event: 'end'; readonly ok: boolean; readonly at: number };
