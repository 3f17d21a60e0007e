/** Simulates an installation with a host's apt: the second round trip, made only where a plan installs packages. */

import type { Host } from '../../hosts/host.ts';
import type { AptFacts } from '../apt-facts.ts';
import type { HostScripts } from '../script/host-scripts.ts';
import { parseSimulation } from '../script/parse-simulation.ts';
import { simulationScript } from '../script/simulation-script.ts';
import type { SimulationRequest } from '../simulation-request.ts';

/** A failed simulation does not stop the run: the result has the reason, and the apply checks again. */
export async function simulate(
  host: Host,
  scripts: HostScripts,
  request: SimulationRequest,
): Promise<AptFacts> {
  const { stdout, stderr, code, signal } = await host.run(simulationScript(scripts, request));
  try {
    return parseSimulation(stdout, request);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const reason = stderr.trim().split('\n').at(-1) || `exit ${code ?? signal}`;
    return { obstacles: [], changes: [], missingSuites: [], unreachable: [], failure: reason };
  }
}
