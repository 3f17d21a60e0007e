/** Builds the script that examines a host: see `templates/host/doctor`. `parseExamination` parses its answer. */

import { KERNEL_FAULTS } from '../doctor/kernel-checks.ts';
import { assemble, type HostScripts, type ScriptName } from './host-scripts.ts';

/** What to examine on one host. */
export interface ExaminationRequest {
  /** The host's address within the cluster. */
  readonly address: string;
  /** Servers on other hosts that this host must be able to reach; `path`: see `Dial`. */
  readonly dials: readonly { readonly address: string; readonly port: number; readonly path?: string }[];
  /** Directories whose file systems are read. */
  readonly places: readonly string[];
  /** Names that the host must be able to resolve. */
  readonly names: readonly string[];
  /** Services whose last lines are read. */
  readonly services: readonly string[];
  /** Of the host's own ZooKeeper server, if it has one. */
  readonly zookeeper?: { readonly data: string; readonly port: number };
  /** Files of certificates, and directories with such files. */
  readonly certificates: readonly string[];
  /** Requests to this host that must be refused without credentials. */
  readonly guarded: readonly { readonly port: number; readonly path: string }[];
}

/** Long enough for a busy host, where a connection is still made within milliseconds, and for a packet to be repeated. */
const DIAL_SECONDS = 3;
/** More than any network's packet, and less than the headers of requests that servers accept (Node: 16 KiB). */
const LARGE_BYTES = 10_000;
const KERNEL_HOURS = 24;
/** The cause may stand before what the init system says of the end. */
const UNIT_LINES = 20;

const PARTS: readonly ScriptName[] = [
  'environment.sh',
  'ask.sh',
  'parts.sh',
  'probe/probe.sh',
  'doctor/examine.sh',
];

/** @returns a script for `Host.run`, without secrets */
export function examineScript(scripts: HostScripts, request: ExaminationRequest): string {
  const values = {
    NEWLINE: '\n',
    DIAL_SECONDS,
    UNIT_LINES,
    HOST_ADDRESS: request.address,
    DIALS: request.dials.map(({ address, port, path = '' }) => `${address} ${port} ${path}`),
    LARGE_BYTES,
    PLACES: request.places,
    NAMES: request.names,
    UNITS: request.services,
    ZOOKEEPER_DATA: request.zookeeper?.data ?? '',
    ZOOKEEPER_PORT: request.zookeeper?.port ?? '',
    CERTIFICATES: request.certificates,
    KERNEL_HOURS,
    KERNEL_FAULTS: KERNEL_FAULTS.map(({ pattern }) => pattern).join('|'),
    GUARDED: request.guarded.map(({ port, path }) => `${port} ${path}`),
  };
  return assemble(scripts, PARTS, values, ['examine']);
}
