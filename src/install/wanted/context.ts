/** What every part of a host's wanted state is made from. */

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
  /** Of the archive, hex. */
  readonly sha256: string;
  /** Of the archive. */
  readonly bytes: number;
}

export interface WantedInput {
  readonly cluster: Cluster;
  readonly host: ClusterHost;
  /** Of all hosts that could be asked; the host's own must be among them. */
  readonly facts: FactsByHost;
  readonly templates: Templates;
  readonly payload: Payload;
  /** Whether the cluster's services should run. Null: as they are. */
  readonly running: boolean | null;
  /** For the digests alone: nothing of them gets into a plan. */
  readonly secrets: Secrets;
  /** In hex, of the text as UTF-8. */
  readonly sha256: (text: string) => string;
}

export interface Context extends Omit<WantedInput, 'templates'> {
  readonly render: Render;
  readonly own: Facts;
  readonly address: string;
  readonly topology: Topology;
  readonly layout: MesosLayout;
}

/** What comes with packages of one subject, beside their own files. */
export interface Brought {
  /** Any of them brings it. */
  readonly packages: readonly string[];
  readonly service?: string;
  /** Made by their programs, and nobody's data. */
  readonly traces?: readonly string[];
  /** Stays in place even when they are purged. */
  readonly data?: readonly string[];
}

/** One subject's share: of each phase all subjects come before the next phase. */
export interface Part {
  /** Keys and lists of repositories, and what fetching from them needs. */
  readonly repositories?: readonly Resource[];
  readonly packages?: readonly Resource[];
  readonly configuration?: readonly Resource[];
  readonly services?: readonly ServiceResource[];
}

export function has(context: Pick<Context, 'host'>, role: ClusterHost['roles'][number]): boolean {
  return context.host.roles.includes(role);
}
