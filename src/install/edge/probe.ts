/** Reads a host in one round trip. */

import type { Secrets } from '../../cluster/secrets.ts';
import { type Host, HostError } from '../../hosts/host.ts';
import type { Facts } from '../facts.ts';
import type { ProbeTargets } from '../probe-targets.ts';
import { parseFacts } from '../script/parse-facts.ts';
import { probeScript } from '../script/probe.ts';

/**
 * @param secrets to ask masters, agents and the scheduler with, where they are known
 * @throws HostError when the host can't be used, or answers something else
 */
export async function probeHost(
  host: Host,
  targets: ProbeTargets,
  secrets?: Pick<Secrets, 'operator' | 'api'>,
): Promise<Facts> {
  const sentAt = Date.now();
  const result = await host.run(probeScript(targets, secrets ? { secrets } : {}));
  try {
    return parseFacts(result.stdout, { sentAt, receivedAt: Date.now() });
  } catch (cause) {
    const said = result.stderr.trim().split('\n').slice(-3).join('; ');
    throw new HostError(
      host.name,
      'root',
      `the probe of ${host.name} gave no facts (exit ${result.code ?? result.signal})${said ? `: ${said}` : ''}`,
      'See that /bin/sh, awk, find, base64 and sha256sum work there for root.',
      cause,
    );
  }
}
