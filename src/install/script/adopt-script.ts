/** Builds the script that reads a host on which others installed Mesos, and parses its answer; see `templates/host/adopt.sh`. */

import { z } from 'zod';
import { parseJson } from '../../json.ts';
import type { AdoptedHost, AdoptedProcess } from '../adopt/adopted-host.ts';
import { CLUSTERD_PACKAGE, LEGACY_PACKAGE } from '../layout.ts';
import { assemble, type HostScripts, type ScriptName } from './host-scripts.ts';
import { looseText } from './loose-text.ts';
import { partsOf } from './parts.ts';

const PARTS: readonly ScriptName[] = [
  'environment.sh',
  'mesos-processes.sh',
  'parts.sh',
  'probe/probe.sh',
  'adopt.sh',
];

/** Flags with the path of a file that mesosup takes over. */
const SECRET_FLAGS = ['zk', 'master', 'credentials', 'credential', 'http_credentials'];

/** Bytes. */
const MAX_TEXT = 64 * 1024;

export function adoptScript(scripts: HostScripts): string {
  const values = {
    ADOPTED_PACKAGES: [CLUSTERD_PACKAGE, LEGACY_PACKAGE, 'docker.io', 'docker-ce'],
    SECRET_FLAGS: SECRET_FLAGS.join('\\|'),
    MAX_TEXT,
  };
  return assemble(scripts, PARTS, values, ['adopt']);
}

const bytes = z.base64().transform((text) => Buffer.from(text, 'base64'));

const answer = z.object({
  format: z.literal(1),
  plain: bytes,
  processes: z.array(
    z.object({
      role: z.enum(['master', 'agent', 'slave']),
      unit: bytes,
      words: bytes,
      environment: bytes,
      files: bytes,
      sources: bytes,
    }),
  ),
});

/** @throws TypeError when the text isn't the complete answer of the script */
export function parseAdopted(stdout: string): AdoptedHost {
  const parsed = answer.safeParse(parseJson(stdout));
  if (!parsed.success) throw new TypeError(`not the answer of the probe: ${z.prettifyError(parsed.error)}`);
  const parts = partsOf(parsed.data.plain);
  const words = (name: string) => (parts.get(name) ?? '').split(/\s+/).filter((word) => word !== '');
  return {
    addresses: words('addresses'),
    packages: Object.fromEntries(
      (parts.get('packages') ?? '')
        .split('\n')
        .map((line) => line.split(' '))
        .flatMap(([name = '', version = '', status]) => (status === 'installed' ? [[name, version]] : [])),
    ),
    cluster: (parts.get('cluster') ?? '').trim(),
    hasDocker: words('docker').length > 0,
    zookeepers: words('zookeepers'),
    processes: parsed.data.processes.map(
      (one): AdoptedProcess => ({
        role: one.role === 'master' ? 'master' : 'agent',
        unit: looseText(one.unit),
        words: nulWords(one.words).slice(1),
        environment: Object.fromEntries(
          nulWords(one.environment).map((pair) => {
            const at = pair.indexOf('=');
            return [pair.slice(0, at), pair.slice(at + 1)];
          }),
        ),
        files: Object.fromEntries(partsOf(one.files)),
        sources: Object.fromEntries(partsOf(one.sources)),
      }),
    ),
  };
}

/** Splits texts that are each ended by a NUL. */
function nulWords(buffer: Buffer): string[] {
  return looseText(buffer).split('\0').slice(0, -1);
}
