/** Reports why apt can't install the packages of the plan, and which packages of the host's owner it would remove. */

import { causeOf, findOwnersLosses } from '../apt-changes.ts';
import type { AptFacts, AptObstacle, Suspect } from '../apt-facts.ts';
import type { Problem } from '../plan.ts';
import { error, type HostCheck, warning } from './check.ts';

export const packagesCheck: HostCheck = ({ host, own }) => {
  const { apt, dpkg } = own;
  if (apt === undefined) return [];
  const { name } = host;
  const suites = apt.missingSuites.map(({ url, suite }) =>
    error(
      name,
      'repository',
      `the repository ${url} has no suite ${suite}`,
      'Set a repository for this release of the system in the cluster file (repository:), or use your own package (source: package).',
    ),
  );
  const unreachable = apt.unreachable.map((reason) =>
    warning(
      name,
      'repository',
      `apt could not reach a repository: ${reason}`,
      'Check the network of the host, its proxy settings and its list of repositories. The packages may be in other repositories.',
    ),
  );
  const failure =
    apt.failure === '' || dpkg.broken.length > 0
      ? []
      : [
          warning(
            name,
            'package',
            `apt could not simulate the installation: ${apt.failure}`,
            'Run apt-get check on the host. Without a simulation, mesosup lets apt remove none of your packages.',
          ),
        ];
  return [
    ...suites,
    ...unreachable,
    ...failure,
    ...apt.obstacles.flatMap((one) => obstacleProblem(name, one, apt, dpkg.broken.length > 0)),
  ];
};

/** A package may be absent only because its repository is unreachable, or has the wrong suite. */
function obstacleProblem(host: string, obstacle: AptObstacle, apt: AptFacts, broken: boolean): Problem[] {
  const unsure = apt.unreachable.length > 0;
  switch (obstacle.kind) {
    case 'absent': {
      if (apt.missingSuites.length > 0) return [];
      const problem = unsure ? warning : error;
      const remedy =
        'Add the repository that has it, or run apt-get update on the host to see why its package lists fail.';
      return [problem(host, 'package', `no repository of the host has the package ${obstacle.name}`, remedy)];
    }
    case 'version': {
      const { name, wanted, available, locked } = obstacle;
      const problem = unsure ? warning : error;
      const others = available.length === 0 ? '' : `, only ${available.slice(0, 5).join(', ')}`;
      if (locked) {
        return [
          problem(
            host,
            'package',
            `no repository of the host has ${name} ${wanted} of versions.lock${others}, and no other host has kept the file`,
            'Set a repository or mirror that keeps old versions, or take the newer versions with --update.',
          ),
        ];
      }
      return [
        problem(
          host,
          'package',
          `no repository of the host has ${name} ${wanted}${others}`,
          'Set one of these versions in the cluster file, or omit the version to get the newest.',
        ),
      ];
    }
    case 'pinned': {
      const { name, file, priority } = obstacle;
      const by =
        file === '' ? 'the preferences of apt exclude it' : `${file} pins it to priority ${priority}`;
      return [
        error(
          host,
          'package',
          `apt has no candidate for ${name}: ${by}`,
          `Remove the pin of ${name} from ${file || '/etc/apt/preferences'}, or set its priority above 0.`,
        ),
      ];
    }
    case 'held':
      return [
        error(
          host,
          'package',
          `apt would change ${obstacle.name}, which is held at ${obstacle.version}`,
          `Run: apt-mark unhold ${obstacle.name}`,
        ),
      ];
    case 'unmet': {
      const { name, reason, suspects } = obstacle;
      const why = suspects.length === 0 ? '' : `; ${suspects.map(suspectText).join('; ')}`;
      const problem = broken ? warning : error;
      return [
        problem(
          host,
          'package',
          `apt can't install ${name}: ${reason}${why}`,
          suspects.length === 0
            ? `To see the conflict, run on the host: apt-get -s install ${name}`
            : suspects.map(suspectRemedy).join('; '),
        ),
      ];
    }
  }
}

function suspectText({ name, file, heldAt }: Suspect): string {
  return heldAt === undefined ? `${file} pins ${name}` : `${name} is held at ${heldAt}`;
}

function suspectRemedy({ name, file, heldAt }: Suspect): string {
  return heldAt === undefined ? `Remove the pin of ${name} from ${file}` : `Run: apt-mark unhold ${name}`;
}

/** Docker's packages. A Docker that the host has already can be used instead of them. */
const DOCKERS = ['docker.io', 'docker-ce', 'docker-ce-cli', 'containerd.io', 'docker-cli'];

export const lossCheck: HostCheck = ({ host, own, allowRemove }) =>
  findOwnersLosses(own)
    .filter(({ name }) => !(allowRemove ?? []).includes(name))
    .map((change) => {
      const { name, action, from, to, wantedBy } = change;
      const what = action === 'remove' ? `remove ${name} ${from}` : `downgrade ${name} from ${from} to ${to}`;
      const cause = causeOf(change);
      const allow = `--allow-remove ${name}`;
      const docker = wantedBy !== undefined && DOCKERS.includes(wantedBy);
      return error(
        host.name,
        'package',
        `apt would ${what}${cause === '' ? '' : `, ${cause}`}`,
        docker
          ? `If the host has Docker already, set "source: preinstalled" for Docker. Otherwise allow the change with: ${allow}`
          : `Allow it with: ${allow}`,
      );
    });
