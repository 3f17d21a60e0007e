/** Inputs and outputs of the parts of a host's wanted state. */

import type { Cluster, ClusterHost } from '../../cluster/cluster.ts';
import type { Secrets } from '../../cluster/secrets.ts';
import type { Facts } from '../facts.ts';
import type { MesosLayout } from '../layout.ts';
import type { Resource } from '../resources/registry.ts';
import type { ServiceResource } from '../resources/service.ts';
import type { Render, Templates } from '../templates.ts';
import type { FactsByHost, Topology } from '../topology.ts';

export interface Payload {
  readonly version: string;
  /** SHA-256 of the archive, hex. */
  readonly sha256: string;
  /** Size of the archive. */
  readonly bytes: number;
}

export interface WantedInput {
  readonly cluster: Cluster;
  readonly host: ClusterHost;
  /** Facts of all reachable hosts, including this host. */
  readonly facts: FactsByHost;
  readonly templates: Templates;
  readonly payload: Payload;
  /** True if the cluster's services should run. Null: keep their state. */
  readonly running: boolean | null;
  /** Used only for digests. Plans contain no secrets. */
  readonly secrets: Secrets;
  /** Returns the digest of the text as UTF-8, in hex. */
  readonly sha256: (text: string) => string;
}

export interface Context extends Omit<WantedInput, 'templates'> {
  readonly render: Render;
  readonly own: Facts;
  readonly address: string;
  readonly topology: Topology;
  readonly layout: MesosLayout;
}

/** Things that packages of one subject bring, besides their own files. */
export interface Brought {
  /** Each of these packages brings them. */
  readonly packages: readonly string[];
  readonly service?: string;
  /** Files that their programs create, and that are not data. */
  readonly traces?: readonly string[];
  /** Data that stays even when the packages are purged. */
  readonly data?: readonly string[];
}

/** The resources of one subject, by phase. All subjects complete a phase before the next one. */
export interface Part {
  /** Keys and lists of repositories, and packages that are needed to fetch from them. */
  readonly repositories?: readonly Resource[];
  readonly packages?: readonly Resource[];
  readonly configuration?: readonly Resource[];
  readonly services?: readonly ServiceResource[];
}

export function has(context: Pick<Context, 'host'>, role: ClusterHost['roles'][number]): boolean {
  return context.host.roles.includes(role);
}
