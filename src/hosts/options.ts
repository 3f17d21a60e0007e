/** What callers say about the hosts to be opened. */

import type { Ask } from './questions.ts';
import type { Overrides } from './ssh/route.ts';
import type { Person } from './ssh/said.ts';

/** A host to be opened; a host of the cluster's spec is one. */
export interface HostTarget {
  readonly name: string;
  /** As one would give it to `ssh`. */
  readonly address: string;
  readonly connection:
    | { readonly kind: 'local' }
    | ({ readonly kind: 'ssh' } & Omit<Overrides, 'knownHosts' | 'acceptNew'>);
}

export interface HostsOptions {
  /** Asks a person for pass phrases and passwords; without it they are missing. */
  readonly ask?: Ask;
  /** Told in a line what a person should know: a new host key, a setting that is not followed. */
  readonly notice?: (host: string, text: string) => void;
  /** An OpenSSH configuration instead of the user's and the machine's; `none` for no file at all. */
  readonly configFile?: string;
  readonly knownHosts?: string;
  readonly acceptNew?: boolean;
  /** How many hosts are connected to at the same time through one bastion; 8 by default. */
  readonly handshakesPerBastion?: number;
  /** Milliseconds for becoming root; 60 s by default. */
  readonly rootTimeout?: number;
  /** Whose configuration is read; by default whoever runs this. */
  readonly person?: Person;
}
