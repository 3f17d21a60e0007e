/**
 * Builds the script that simulates with a host's apt the installation of a plan's packages. It needs the programs of
 * the probe, and apt. Its answer is one line of JSON, like the probe's; `parseSimulation` parses it.
 */

import { quote } from '../../hosts/quote.ts';
import { packagesIndex } from '../package-file.ts';
import { fileWord, makeLine } from '../resources/package.ts';
import type { SimulationRequest } from '../simulation-request.ts';
import { assemble, type HostScripts } from './host-scripts.ts';
import { pinLines } from './pin-lines.ts';

/** @returns a script for `Host.run` */
export function simulationScript(
  scripts: HostScripts,
  { packages, made = [], sources, fresh, pins, files = [], onlyFiles }: SimulationRequest,
): string {
  const words = packages.map(({ name, version }) =>
    quote(version === undefined ? name : `${name}=~${version}`),
  );
  const values = {
    NAMES: packages.map(({ name }) => name),
    // The lists of a host may be older than the versions that other hosts have.
    FRESH: fresh || pins || files.length > 0 ? 'yes' : '',
    PINS: pinLines(pins),
    INDEX: packagesIndex(files),
    ONLY: onlyFiles ? 'yes' : '',
  };
  return assemble(scripts, ['environment.sh', 'apt.sh', 'simulate.sh'], values, [
    'open_simulation',
    ...(onlyFiles ? [] : sources).map(({ path, content }) => {
      const name = path.slice(path.lastIndexOf('/') + 1);
      return `add_source ${quote(name)} ${quote(content)}`;
    }),
    ...made.map(makeLine),
    `simulate ${[...words, ...made.map(({ name }) => fileWord(name))].join(' ')}`,
  ]);
}
