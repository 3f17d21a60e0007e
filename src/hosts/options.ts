/** The options for opening hosts. */

import type { Ask } from './questions.ts';
import type { Person } from './ssh/host-settings.ts';
import type { Overrides } from './ssh/route.ts';

/** A host to open, for example a host of the cluster's spec. */
export interface HostTarget {
  readonly name: string;
  /** The argument for `ssh`. */
  readonly address: string;
  readonly connection:
    | { readonly kind: 'local' }
    | ({ readonly kind: 'ssh' } & Omit<Overrides, 'knownHosts' | 'acceptNew'>);
}

export interface HostsOptions {
  /** Asks for pass phrases and passwords. Without it, none are available. */
  readonly ask?: Ask;
  /** Receives one-line notices: a new host key, a setting that is not followed. */
  readonly notice?: (host: string, text: string) => void;
  /** An OpenSSH configuration that replaces the user's and the machine's; `none` uses no file. */
  readonly configFile?: string;
  readonly knownHosts?: string;
  readonly acceptNew?: boolean;
  /** Limits the hosts that are being connected to through one bastion. Default: 8. */
  readonly handshakesPerBastion?: number;
  /** Milliseconds to become root. Default: 60 s. */
  readonly rootTimeout?: number;
  /** The user whose configuration is read. Default: the current user. */
  readonly person?: Person;
}
