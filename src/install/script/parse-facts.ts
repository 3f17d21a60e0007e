/** Parses the answer of a probe. */

import { z } from 'zod';
import { parseJson } from '../../json.ts';
import type { Facts } from '../facts.ts';
import { looseText } from './loose-text.ts';
import { parseFiles } from './parse-files.ts';
import { parseAgent, parseLb, parseMaster, parseScheduler, parseZooKeeper } from './parse-health.ts';
import {
  dpkgFacts,
  lines,
  mesosupFacts,
  parseAddresses,
  parseAgentFlags,
  parseDisks,
  parseDocker,
  parseInputs,
  parseJobs,
  parseListeners,
  parseMesosTls,
  parseMounts,
  parseOsRelease,
  parseOtherDockers,
  parsePackages,
  parseTaken,
  parseUnits,
  parseUsers,
} from './parse-system.ts';
import { partsOf } from './parts.ts';

const bytes = z.base64().transform((text) => Buffer.from(text, 'base64'));
const some = bytes.default(() => Buffer.alloc(0));
/** Nanoseconds since 1970, to milliseconds. */
const instant = z
  .string()
  .regex(/^\d{16,20}$/)
  .transform((text) => Number(BigInt(text) / 1_000_000n));

const answer = z.object({
  format: z.literal(1),
  asked: z.object({
    services: z.array(z.string()),
    disks: z.array(z.string()),
    ports: z.array(z.number()),
  }),
  began: instant,
  ended: instant,
  plain: bytes,
  packages: bytes,
  list: bytes,
  sums: bytes,
  texts: bytes,
  docker: some,
  taken: some,
  images: some,
  units: some,
  jobs: some,
  zookeeper: some,
  masterMetrics: some,
  masterVersion: some,
  agentMetrics: some,
  agentVersion: some,
  scheduler: some,
  lb: some,
  mesosTls: some,
});

/** The times when the probe was sent and its answer received, in milliseconds since 1970 by this machine's clock. */
export interface RoundTrip {
  readonly sentAt: number;
  readonly receivedAt: number;
}

/** @throws TypeError when the text isn't the complete answer of a probe */
export function parseFacts(stdout: string, { sentAt, receivedAt }: RoundTrip): Facts {
  const parsed = answer.safeParse(parseJson(stdout));
  if (!parsed.success) {
    throw new TypeError(`not the answer of a probe: ${z.prettifyError(parsed.error).split('\n')[0] ?? ''}`);
  }
  const { data } = parsed;
  const { asked } = data;
  const parts = partsOf(data.plain);
  const part = (name: string) => parts.get(name) ?? '';
  const word = (name: string) => part(name).trim();
  const { packages, broken } = parsePackages(looseText(data.packages));
  const inputs = parseInputs(part('inputs'));
  const init = word('init');
  const cgroups = word('cgroups');
  return {
    clock: { now: data.ended, offsetMs: leastOffset(data, { sentAt, receivedAt }) },
    system: parseOsRelease(part('os')),
    arch: word('arch'),
    kernel: word('kernel'),
    glibc: /^glibc (\S+)/.exec(part('glibc'))?.[1] ?? '',
    init: init === 'systemd' || init === 'upstart' ? init : 'other',
    cgroups: cgroups === 'v1' || cgroups === 'v2' || cgroups === 'hybrid' ? cgroups : 'none',
    hostname: word('hostname'),
    addresses: parseAddresses(part('addresses')),
    // client, port, server, port
    sshAddress: word('connection').split(' ')[2] ?? '',
    cpus: Number(word('cpus')) || 1,
    memoryBytes: Number(/^MemTotal:\s+(\d+) kB/m.exec(part('memory'))?.[1] ?? 0) * 1024,
    diskFreeBytes: parseDisks(part('disks'), asked.disks),
    mounts: parseMounts(part('mounts'), asked.disks),
    dpkg: dpkgFacts(part('held'), part('left'), broken),
    packages,
    files: parseFiles(data.list, data.sums, data.texts),
    users: parseUsers(part('users')),
    services:
      data.jobs.length > 0
        ? parseJobs(looseText(data.jobs), inputs)
        : parseUnits(looseText(data.units), asked.services, inputs),
    listeners: parseListeners(part('listeners'), asked.ports),
    zookeeper: parseZooKeeper(looseText(data.zookeeper)),
    master: parseMaster(looseText(data.masterMetrics), looseText(data.masterVersion)),
    agent: parseAgent(
      looseText(data.agentMetrics),
      looseText(data.agentVersion),
      lines(part('agent-id'))[0] ?? '',
    ),
    agentFlags: parseAgentFlags(part('agent-flags')),
    ...parseMesosTls(looseText(data.mesosTls)),
    scheduler: parseScheduler(looseText(data.scheduler)),
    lb: parseLb(looseText(data.lb)),
    docker: parseDocker(looseText(data.docker)),
    otherDockers: parseOtherDockers(part('dockers')),
    mesosup: {
      ...mesosupFacts(part),
      taken: parseTaken(looseText(data.taken)),
      images: lines(looseText(data.images)),
    },
  };
}

/**
 * Returns the minimum offset of the host's clock: the probe began after it was sent, and ended before its answer was
 * received. The time in between for the network, the login and the scheduling of processes isn't known.
 */
function leastOffset(
  { began, ended }: { readonly began: number; readonly ended: number },
  { sentAt, receivedAt }: RoundTrip,
): number {
  return Math.min(began - sentAt, Math.max(ended - receivedAt, 0));
}
