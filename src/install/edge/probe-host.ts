/** Probes a host in one round trip. */

import type { Secrets } from '../../cluster/secrets.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { type Host, HostError } from '../../hosts/host.ts';
import type { Facts } from '../facts.ts';
import type { FileFacts } from '../host-facts.ts';
import type { ProbeTargets } from '../probe-targets.ts';
import type { HostScripts } from '../script/host-scripts.ts';
import { parseFacts } from '../script/parse-facts.ts';
import { probeScript } from '../script/probe-script.ts';
import { readKeys } from './openpgp.ts';

/**
 * @param secrets for requests to masters, agents and the scheduler, if known
 * @throws HostError when the host can't be used, or its answer is not that of a probe
 */
export async function probeHost(
  host: Host,
  scripts: HostScripts,
  targets: ProbeTargets,
  secrets?: Pick<Secrets, 'operator' | 'api' | 'rotated'>,
): Promise<Facts> {
  const sentAt = Date.now();
  const result = await host.run(probeScript(scripts, targets, secrets ? { secrets } : {}));
  try {
    return withKeys(parseFacts(result.stdout, { sentAt, receivedAt: Date.now() }));
  } catch (cause) {
    if (cause instanceof MesosupError) {
      const { message, remedy = '' } = cause;
      throw new HostError(host.name, 'release', `${host.name}: ${message}`, remedy, cause);
    }
    const output = result.stderr.trim().split('\n').slice(-3).join('; ');
    throw new HostError(
      host.name,
      'root',
      `the probe of ${host.name} failed (exit ${result.code ?? result.signal})${output ? `: ${output}` : ''}`,
      'Check that /bin/sh, awk, find, base64 and sha256sum work for root on the host.',
      cause,
    );
  }
}

/** Paths of apt's keys. */
const KEYRINGS = /^\/(etc\/apt\/(keyrings|trusted\.gpg\.d)|usr\/share\/keyrings)\//;

function withKeys(facts: Facts): Facts {
  const files = Object.entries(facts.files).map(
    ([path, file]) => [path, KEYRINGS.test(path) ? withKey(file) : file] as const,
  );
  return { ...facts, files: Object.fromEntries(files) };
}

function withKey(file: FileFacts): FileFacts {
  const bytes = file.content === undefined ? file.text : Buffer.from(file.content, 'base64');
  if (bytes === undefined) return file;
  try {
    const keys = readKeys(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
    const ends = keys.map(({ expires }) => expires ?? Number.POSITIVE_INFINITY);
    const last = Math.max(...ends);
    return {
      ...file,
      keys: {
        fingerprints: keys.map(({ fingerprint }) => fingerprint),
        ...(Number.isFinite(last) ? { expires: last } : {}),
      },
    };
  } catch {
    // Not a file of keys: apt reports the reason.
    return file;
  }
}
