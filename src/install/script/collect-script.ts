/**
 * Builds the script that reads what a support bundle shows of a host, and parses its answer: see
 * `templates/host/doctor/collect.sh`.
 */

import { z } from 'zod';
import type { Cluster, ClusterHost, Role } from '../../cluster/cluster.ts';
import type { Secrets } from '../../cluster/secrets.ts';
import { parseJson } from '../../json.ts';
import { apiUser, operator } from '../operator.ts';
import { assemble, type HostScripts } from './host-scripts.ts';
import { httpRequest, parseAnswer } from './http-request.ts';
import { partsOf } from './parts.ts';
import { unitName } from './unit-name.ts';

export interface Collection {
  /** The last lines of each service that the host has, with their times, by the service's name. */
  readonly logs: Readonly<Record<string, string>>;
  /** Outputs of programs, by subject. */
  readonly system: Readonly<Record<string, string>>;
  /** Answers of the host's servers about themselves, by role. */
  readonly metrics: Readonly<Record<string, string>>;
}

/** Last lines of each log. */
const UNIT_LINES = 300;

/** @param address the host's address within the cluster. @returns a script for `Host.run`, which contains secrets */
export function collectScript(
  scripts: HostScripts,
  {
    cluster: { ports },
    host,
    address,
    services,
    secrets,
  }: {
    readonly cluster: Cluster;
    readonly host: ClusterHost;
    readonly address: string;
    /** Without `.service`. */
    readonly services: readonly string[];
    readonly secrets: Secrets | undefined;
  },
): string {
  const port = (role: Exclude<Role, 'lb'>) => (host.roles.includes(role) ? ports[role] : '');
  const mesos = httpRequest('GET', '/metrics/snapshot', operator(secrets));
  const values = {
    NEWLINE: '\n',
    UNITS: services.map(unitName),
    UNIT_LINES,
    HOST_ADDRESS: address,
    ZOOKEEPER_PORT: port('zookeeper'),
    MASTER_PORT: port('master'),
    AGENT_PORT: port('agent'),
    SCHEDULER_PORT: port('scheduler'),
    MASTER_REQUEST: mesos,
    AGENT_REQUEST: mesos,
    SCHEDULER_REQUEST: httpRequest('GET', '/metrics', apiUser(secrets)),
  };
  const parts = ['environment.sh', 'ask.sh', 'parts.sh', 'probe/probe.sh', 'doctor/collect.sh'] as const;
  return assemble(scripts, parts, values, ['collect']);
}

const parts = z.base64().transform((text) => Object.fromEntries(partsOf(Buffer.from(text, 'base64'))));
const answer = z.object({ format: z.literal(1), logs: parts, system: parts, metrics: parts });

/** @throws TypeError if the text isn't the complete answer */
export function parseCollection(stdout: string): Collection {
  const parsed = answer.safeParse(parseJson(stdout));
  if (!parsed.success) {
    const [first = ''] = z.prettifyError(parsed.error).split('\n');
    throw new TypeError(`not the answer of a collection: ${first}`);
  }
  const { logs, system, metrics } = parsed.data;
  const bodyOf = (text: string) => (text.startsWith('HTTP/') ? parseAnswer(text).body : text);
  return {
    logs: named(logs, (name) => name.replace(/\.service$/, '')),
    system: named(system),
    metrics: named(Object.fromEntries(Object.entries(metrics).map(([name, text]) => [name, bodyOf(text)]))),
  };
}

/** Omits empty texts. */
function named(texts: Readonly<Record<string, string>>, nameOf = (name: string) => name) {
  return Object.fromEntries(
    Object.entries(texts).flatMap(([name, text]) => (text.trim() === '' ? [] : [[nameOf(name), text]])),
  );
}
