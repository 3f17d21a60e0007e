/** The schema of a cluster in files: the cluster last installed from this machine, and saved plans. */

import { z } from 'zod';
import type { StoredFile } from '../stored/file.ts';
import { readerOf } from '../stored/reader.ts';
import { byKind, literals, record } from '../stored/record.ts';
import type {
  AptRepository,
  Cluster,
  ClusterHost,
  Connection,
  DockerSource,
  MesosSource,
  Monitoring,
  Ports,
  Role,
} from './cluster.ts';

const text = z.string();
const number = z.number();
const texts = z.record(text, text);

const url = record<{ readonly url: string }>({ url: text });
const file = record<{ readonly file: string }>({ file: text });
const place = z.union([url, file]);

const repository = record<AptRepository>({
  debian: text,
  ubuntu: text,
  key: place,
  fingerprint: text.optional(),
});

const mesos = byKind<MesosSource>({
  clusterd: { version: text.optional(), repository },
  mesosphere: { version: text.optional(), repository },
  package: { from: place, sha256: text },
  preinstalled: {},
});

const docker = byKind<DockerSource>({
  'docker-ce': { version: text.optional(), repository },
  distribution: { version: text.optional() },
  preinstalled: {},
});

const connection = byKind<Connection>({
  local: {},
  ssh: {
    user: text.optional(),
    port: number.optional(),
    key: text.optional(),
    bastion: text.optional(),
    hostKey: text.optional(),
  },
});

const host = record<ClusterHost>({
  name: text,
  address: text,
  privateAddress: text.optional(),
  roles: z.array(literals<Role>({ zookeeper: true, master: true, scheduler: true, agent: true, lb: true })),
  attributes: texts,
  resources: texts,
  hostname: text.optional(),
  masterFlags: texts,
  agentFlags: texts,
  connection,
});

export const storedCluster = record<Cluster>({
  name: text,
  mesos,
  docker,
  hosts: z.array(host),
  masterFlags: texts,
  agentFlags: texts,
  schedulerFlags: texts,
  lbFlags: texts.optional(),
  monitoring: record<Monitoring>({
    listen: literals<Monitoring['listen']>({ loopback: true, cluster: true }),
    port: number,
  }).optional(),
  ports: record<Ports>({ master: number, agent: number, scheduler: number, zookeeper: number }),
  zookeeper: text.optional(),
  tls: z.boolean().optional(),
});

/** `cluster.json`: the cluster as it was last installed from this machine. */
export const clusterFile: StoredFile<{ readonly cluster: Cluster }> = {
  format: 1,
  read: readerOf(record<{ readonly cluster: Cluster }>({ cluster: storedCluster })),
};
