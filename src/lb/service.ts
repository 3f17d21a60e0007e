/** What haproxy serves: one port of an app, or of the apps of a deployment group. */

import type { HostPort } from './address.ts';
import type { PortSettings } from './port-labels.ts';

export interface Server extends HostPort {
  readonly taskId: string;
  /** From 0 to 256; undefined for 1, as for all servers of apps without a deployment group. */
  readonly weight?: number;
}

/** Reached at a service port, at virtual hosts, or both. */
export interface Service {
  /** The name in haproxy's configuration. */
  readonly backend: string;
  readonly appId: string;
  /** Index of the port in the app. */
  readonly portIndex: number;
  /** The name of the port. */
  readonly portName?: string | undefined;
  readonly mode: 'tcp' | 'http';
  readonly settings: PortSettings;
  /** Undefined if the service port is refused. */
  readonly port: number | undefined;
  readonly servers: readonly Server[];
  /** The apps of the deployment group, if there are several. */
  readonly members?: readonly Member[];
}

export interface Member {
  readonly appId: string;
  /** Percent of the requests; undefined for a part of the rest. */
  readonly share: number | undefined;
}

/** Something that an app asks for and does not get. */
export interface Problem {
  readonly appId: string;
  /** A sentence without a full stop. */
  readonly text: string;
}

/** Encodes an app id with characters that haproxy allows in names: different ids have different names. */
export function backendName(appId: string, portIndex: number): string {
  const name = [...appId].map((one) => {
    if (one === '/') return '_';
    return /[A-Za-z0-9.-]/.test(one) ? one : `:${one.codePointAt(0)?.toString(16)}:`;
  });
  return `${portIndex}${name.join('')}`;
}
