/** Parses the answer of `simulationScript`. */

import { z } from 'zod';
import { parseJson } from '../../json.ts';
import type { AptChange, AptFacts, AptObstacle, Suspect } from '../apt-facts.ts';
import { packageNames } from '../package-state.ts';
import type { SimulationRequest } from '../simulation-request.ts';
import { type Pin, parsePreferences, pinsOf } from './apt-preferences.ts';
import { conflictOf, findCauses, parseRelations } from './apt-relations.ts';
import { looseText } from './loose-text.ts';
import { lines } from './parse-system.ts';

const text = z
  .base64()
  .transform((encoded) => looseText(Buffer.from(encoded, 'base64')))
  .default('');

const answer = z.object({
  format: z.literal(1),
  hostUpdate: text,
  planUpdate: text,
  lacking: text,
  policy: text,
  madison: text,
  holds: text,
  preferences: text,
  simulation: text,
  downgrades: text,
  relations: text,
  dependencies: text,
  download: text,
  lackingPins: text,
});

type Answer = z.output<typeof answer>;

/** @throws TypeError when the text isn't the complete answer of a simulation */
export function parseSimulation(stdout: string, request: SimulationRequest): AptFacts {
  const parsed = answer.safeParse(parseJson(stdout));
  if (!parsed.success) {
    throw new TypeError(
      `not the answer of a simulation: ${z.prettifyError(parsed.error).split('\n')[0] ?? ''}`,
    );
  }
  const { data } = parsed;
  const missingSuites = findMissingSuites(data.planUpdate);
  const holds = new Map(lines(data.holds).map((line) => line.split(' ', 2) as [string, string]));
  const pins = pinsIn(data.preferences);
  const steps = stepsOf(data);
  return {
    obstacles: [
      ...withoutCandidate(data, request, pins),
      ...movedPins(steps, request),
      ...heldPackages(steps, holds),
      ...unmetDependencies(data, holds, pins),
    ],
    changes: changesOf(steps, data, request),
    missingSuites,
    unreachable: [
      ...updateProblems(data.hostUpdate, /^(?:E: |W: Failed to fetch )(.*)/),
      ...updateProblems(data.planUpdate, /^[EW]: Failed to fetch (.*)/).filter(
        (line) =>
          !missingSuites.some(({ url }) => line.startsWith(url)) && !bringsCertificates(line, request),
      ),
    ],
    ...(data.lackingPins !== '' && { missingPins: lines(data.lackingPins) }),
    candidates: { ...candidatesIn(data, request), ...otherNamesIn(steps, request) },
    ...(/^\d+$/.test(data.download) && { downloadBytes: Number(data.download) }),
    failure: failureOf(data.simulation),
  };
}

/** True of an error about certificates when the plan installs them. */
function bringsCertificates(line: string, { packages }: SimulationRequest): boolean {
  return /certificate/i.test(line) && packages.some(({ name }) => name === 'ca-certificates');
}

const NO_RELEASE = /^[EW]: The repository '(\S+) (\S+) (?:In)?Release' does not have a Release file/;

function findMissingSuites(update: string): AptFacts['missingSuites'] {
  return lines(update).flatMap((line) => {
    const [, url, suite] = NO_RELEASE.exec(line) ?? [];
    return url !== undefined && suite !== undefined ? [{ url, suite }] : [];
  });
}

function updateProblems(update: string, pattern: RegExp): string[] {
  const found = lines(update).flatMap((line) => pattern.exec(line)?.[1]?.replace(/\s+/g, ' ').trim() ?? []);
  if (update !== '' && !/^(Lists fetched|Reading package lists|[EW]: )/m.test(update))
    found.push('the package lists were not fetched in time');
  return [...new Set(found)].filter((line) => !line.startsWith('Some index files failed'));
}

function pinsIn(preferences: string): Pin[] {
  const words = preferences.split('\0');
  return words.flatMap((file, at) => (at % 2 === 0 ? parsePreferences(file, words[at + 1] ?? '') : []));
}

/** Counts the versions that `apt-cache policy` lists for each name. */
function versionsIn(policy: string): Map<string, number> {
  const counts = new Map<string, number>();
  let name = '';
  for (const line of policy.split('\n')) {
    name = /^(\S+):$/.exec(line)?.[1] ?? name;
    if (/^ (?: {4}|\*{3} )\S/.test(line)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** Of a request with a version: that version, or the newest that begins with it. */
function candidatesIn({ policy, madison }: Answer, { packages }: SimulationRequest): Record<string, string> {
  const preferred = new Map<string, string>();
  let current = '';
  for (const line of policy.split('\n')) {
    current = /^(\S+):$/.exec(line)?.[1] ?? current;
    const candidate = /^ {2}Candidate: ([^\s(]\S*)/.exec(line)?.[1];
    if (candidate !== undefined) preferred.set(current, candidate);
  }
  const entries = packages.flatMap(({ name, version }) => {
    const found = version === undefined ? preferred.get(name) : newestIn(availableIn(madison, name), version);
    return found === undefined ? [] : [[name, found] as const];
  });
  return Object.fromEntries(entries);
}

/** Versions of packages that apt installs under another name than that of the request. */
function otherNamesIn(steps: readonly Step[], { packages }: SimulationRequest): Record<string, string> {
  const others = new Set(packages.flatMap(({ name }) => packageNames(name).slice(1)));
  const found = steps.flatMap(({ name, to }) =>
    to !== undefined && others.has(name) ? [[name, to] as const] : [],
  );
  return Object.fromEntries(found);
}

/** Chooses as `newest` in apt.sh does. */
function newestIn(available: readonly string[], wanted: string): string | undefined {
  const bare = (version: string) => version.replace(/^\d+:/, '');
  return (
    available.find((one) => one === wanted || bare(one) === wanted) ??
    available.find((one) => one.startsWith(wanted) || bare(one).startsWith(wanted))
  );
}

function withoutCandidate(
  { lacking, policy, madison }: Answer,
  { packages, pins: locked = [] }: SimulationRequest,
  pins: readonly Pin[],
): AptObstacle[] {
  const names = new Set(lacking.split(' ').filter(Boolean));
  const known = versionsIn(policy);
  return packages.flatMap(({ name, version }): AptObstacle[] => {
    if (names.has(name)) {
      if (!known.has(name)) return [{ kind: 'absent', name }];
      const pin = pinsOf(name, pins).find(({ priority }) => priority < 0);
      return [{ kind: 'pinned', name, file: pin?.file ?? '', priority: pin?.priority ?? -1 }];
    }
    if (version === undefined) return [];
    const available = availableIn(madison, name);
    const begins = (one: string) => one.startsWith(version) || one.replace(/^\d+:/, '').startsWith(version);
    const isLocked = locked.some((pin) => pin.name === name && pin.version === version);
    if (isLocked ? available.includes(version) : available.some(begins)) return [];
    return [{ kind: 'version', name, wanted: version, available, ...(isLocked && { locked: true }) }];
  });
}

function availableIn(madison: string, name: string): string[] {
  const rows = lines(madison).map((line) => line.split('|').map((word) => word.trim()));
  return [
    ...new Set(rows.flatMap(([of, version]) => (of === name && version !== undefined ? [version] : []))),
  ];
}

interface Step {
  readonly name: string;
  readonly from?: string;
  readonly to?: string;
}

const STEP = /^(Inst|Remv) (\S+)(?: \[([^\]]+)\])?(?: \((\S+))?/;

function stepsOf({ simulation }: Answer): Step[] {
  return lines(simulation).flatMap((line) => {
    const [, verb, name, from, to] = STEP.exec(line) ?? [];
    if (name === undefined) return [];
    return [
      { name, ...(from !== undefined && { from }), ...(verb === 'Inst' && to !== undefined && { to }) },
    ];
  });
}

/** Reports pinned versions that no repository has: apt chooses another one. The plan's packages are not repeated. */
function movedPins(
  steps: readonly Step[],
  { packages, pins: locked = [] }: SimulationRequest,
): AptObstacle[] {
  return locked.flatMap(({ name, version }): AptObstacle[] => {
    const to = steps.find((step) => step.name === name)?.to;
    if (to === undefined || to === version || packages.some((one) => one.name === name)) return [];
    return [{ kind: 'version', name, wanted: version, available: [to], locked: true }];
  });
}

function heldPackages(steps: readonly Step[], holds: ReadonlyMap<string, string>): AptObstacle[] {
  return steps.flatMap(({ name }) => {
    const version = holds.get(name);
    return version === undefined ? [] : [{ kind: 'held' as const, name, version }];
  });
}

function changesOf(
  steps: readonly Step[],
  data: Answer,
  { packages, made = [] }: SimulationRequest,
): AptChange[] {
  const wanted = [...packages, ...made].map(({ name }) => name);
  const own = new Set(wanted.flatMap(packageNames));
  const relations = parseRelations(data.relations);
  const brought = findCauses(wanted, relations);
  const down = new Set(lines(data.downgrades));
  const installed = steps.filter(({ to }) => to !== undefined).map(({ name }) => name);
  return steps
    .filter(({ name }) => !own.has(name))
    .map((step): AptChange => {
      if (step.to !== undefined) {
        const action = step.from === undefined ? 'install' : down.has(step.name) ? 'downgrade' : 'upgrade';
        const wantedBy = brought.get(step.name);
        return { ...step, action, ...(wantedBy !== undefined && { wantedBy }) };
      }
      const conflictsWith = conflictOf(step.name, installed, relations);
      const wantedBy = conflictsWith === undefined ? undefined : brought.get(conflictsWith);
      return {
        ...step,
        action: 'remove',
        ...(conflictsWith !== undefined && { conflictsWith }),
        ...(wantedBy !== undefined && { wantedBy }),
      };
    });
}

/** Parses lines like ` docker.io : Depends: runc (>= 1.0) but it is not installable`, with indented continuations. */
function unmetDependencies(
  { simulation, dependencies }: Answer,
  holds: ReadonlyMap<string, string>,
  pins: readonly Pin[],
): AptObstacle[] {
  const [, list = ''] = simulation.split('The following packages have unmet dependencies:\n');
  const reasons = new Map<string, string[]>();
  let last: string[] = [];
  for (const line of lines(list)) {
    const [, name, first] = /^ (\S+) : (.*)$/.exec(line) ?? [];
    if (name !== undefined && first !== undefined) {
      last = [first.trim()];
      reasons.set(name, last);
    } else if (/^ {4,}\S/.test(line)) last.push(line.trim());
  }
  const all = suspectsOf(lines(dependencies), holds, pins);
  return [...reasons].map(([name, parts]) => {
    const words = new Set(parts.flatMap((reason) => reason.split(' ')));
    const named = all.filter((suspect) => words.has(suspect.name));
    return { kind: 'unmet', name, reason: parts.join(', '), suspects: named.length > 0 ? named : all };
  });
}

/** Ignores pins for all packages, which are common (a preferred release) and explain nothing. */
function suspectsOf(
  names: readonly string[],
  holds: ReadonlyMap<string, string>,
  pins: readonly Pin[],
): Suspect[] {
  return names.flatMap((name): Suspect[] => {
    const heldAt = holds.get(name);
    const pin = pinsOf(name, pins).find(({ packages }) => !packages.includes('*'));
    if (heldAt === undefined && pin === undefined) return [];
    return [{ name, ...(pin && { file: pin.file }), ...(heldAt !== undefined && { heldAt }) }];
  });
}

function failureOf(simulation: string): string {
  const errors = lines(simulation).filter((line) => line.startsWith('E: '));
  return simulation.includes('have unmet dependencies:')
    ? ''
    : errors.map((line) => line.slice(3)).join('; ');
}
