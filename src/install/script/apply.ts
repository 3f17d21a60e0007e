/**
 * The script that does a host's plan: POSIX sh with what the probe needs, apt-get and dpkg. It runs by itself, apart
 * from any connection; what it does it tells as one `RunEvent` a line. Each step can be done again: a script that was
 * killed is followed by a new plan, not gone on with.
 */

import type { Secrets } from '../../cluster/secrets.ts';
import { quote } from '../../hosts/quote.ts';
import { idParts, type Numbered } from '../item.ts';
import type { HostPlan, PlanCommand, PlanItem } from '../plan.ts';
import { type PackageWork, packageLines, packageWork } from '../resources/package.ts';
import { type JournalEntry, keepLines, type ScriptContext, stepLines } from '../resources/registry.ts';
import { checkLines, isEnabled, isWatched } from '../resources/service-kind.ts';
import {
  ACCOUNTS,
  CLUSTER,
  JOURNAL,
  PAYLOADS,
  RELEASED,
  RUN_LOCK,
  RUNS,
  SERVICES,
  STARTED,
  STATE,
  UPLOADS,
} from './places.ts';
import { CORE, escapeCommands, opening } from './shell-core.ts';
import { type Endpoint, edges } from './shell-edges.ts';
import { FILES } from './shell-files.ts';
import { PACKAGES } from './shell-packages.ts';
import { SERVICE_STEPS } from './shell-services.ts';
import { TASKS } from './shell-tasks.ts';
import { unitName } from './unit-name.ts';

export interface ApplyOptions {
  /** Letters, digits and `-`; unique on the host. */
  readonly run: string;
  readonly command: PlanCommand;
  /** The cluster's name. */
  readonly cluster: string;
  /** user@machine (pid). */
  readonly who: string;
  readonly secrets?: Secrets;
  /** The host's journal; needed where the plan restores. */
  readonly journal?: readonly JournalEntry[];
  /** Whom to ask what must be true elsewhere. */
  readonly zookeeper?: readonly Endpoint[];
  readonly masters?: readonly Endpoint[];
  readonly agent?: Endpoint;
  /** Where the agent that is on the host keeps its state. */
  readonly agentWorkDir?: string;
  /** True: the cluster is meant to run here from now on, false: not. By default so for `start` and `stop`. */
  readonly started?: boolean;
  readonly limits?: Partial<ApplyLimits>;
  /** Packages of the owner's that apt may remove or downgrade beyond those that the plan names. */
  readonly allowRemove?: readonly string[];
}

export interface ApplyLimits {
  /** Seconds for which the same program may hold the dpkg lock. */
  readonly lock: number;
  /** Seconds without any progress while something elsewhere in the cluster is waited for. */
  readonly edge: number;
  /** Milliseconds for which a service has to stay up after its start. */
  readonly stay: number;
}

const LIMITS: ApplyLimits = { lock: 1800, edge: 300, stay: 3000 };

type Step = Numbered<PlanItem>;

/** @throws TypeError for a run id or an item that can't be; it names no secret */
export function applyScript(plan: HostPlan, options: ApplyOptions): string {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(options.run)) throw new TypeError(`not a run's id: ${options.run}`);
  const { run, command, who, secrets, cluster } = options;
  const limits = { ...LIMITS, ...options.limits };
  const journal = options.journal ?? [];
  const context = { journal, secrets, cluster, agentWorkDir: options.agentWorkDir ?? '/var/lib/mesos' };
  const items = plan.items.map((item, index): Step => ({ item, index }));
  const record = JSON.stringify({ id: run, command, who });
  const authorization = secrets ? `Basic ${btoa(`operator:${secrets.operator}`)}` : '';
  const hidden = secrets
    ? [...Object.values(secrets), btoa(`operator:${secrets.operator}`).replace(/=+$/, '')]
    : [];
  return [
    '#!/bin/sh',
    opening(run, record),
    `(umask 077; cat >"$dir/escape" <<'END'\n${escapeCommands(hidden)}\nEND\n)`,
    'exec 8<"$dir/escape"',
    'rm -f "$dir/escape"',
    CORE,
    `lock_seconds=${limits.lock}`,
    `edge_seconds=${limits.edge}`,
    `stay_milliseconds=${limits.stay}`,
    `allowed=${quote(allowedLosses(plan, options))}`,
    PACKAGES,
    FILES,
    SERVICE_STEPS,
    TASKS,
    edges(options.zookeeper ?? [], options.masters ?? [], options.agent, authorization),
    UNPACK,
    SYSTEM_ACCOUNTS,
    `emit "{\\"event\\":\\"begin\\",\\"run\\":\\"${run}\\",\\"items\\":${items.length},\\"at\\":$(now)}"`,
    'release_starts',
    'unshield',
    ...(command === 'uninstall'
      ? []
      : [`[ -e ${ACCOUNTS} ] || accounts >${ACCOUNTS}`, `printf '%s\\n' ${quote(cluster)} >${CLUSTER}`]),
    ...startedLines(options),
    ...itemLines(items, context),
    'settle_services',
    'reload_units',
    `rm -rf ${UPLOADS}`,
    ...(command === 'uninstall' ? [FAREWELL] : []),
    'finish true',
    '',
  ].join('\n');
}

/** A line each: packages that apt may remove or downgrade. An uninstall removes what the journal names. */
function allowedLosses({ items }: HostPlan, { command, allowRemove = [] }: ApplyOptions): string {
  if (command === 'uninstall') return '*';
  const named = items.filter(({ resource, byApt }) => byApt || resource?.kind === 'package');
  return [...named.map(({ id }) => idParts(id).name), ...allowRemove].join('\n');
}

function startedLines({ command, started }: ApplyOptions): string[] {
  const wanted =
    started ??
    (command === 'start' ? true : command === 'stop' || command === 'uninstall' ? false : undefined);
  if (wanted === undefined) return [];
  return [wanted ? `: >${STARTED}` : `rm -f ${STARTED}`];
}

/** Neighbours that can be done together are: packages by one apt-get, and others share one write of the journal. */
function itemLines(items: readonly Step[], context: ScriptContext): string[] {
  const lines: string[] = [];
  const checks = checkLines(items);
  for (let at = 0; at < items.length; ) {
    const work = packageWork(items[at] as Step, context.journal);
    let end = at + 1;
    while (end < items.length && packageWork(items[end] as Step, context.journal) === work) end += 1;
    const group = items.slice(at, end);
    lines.push(...(work ? packageGroup(work, group, context.journal) : otherGroup(group, context, checks)));
    at = end;
  }
  return lines;
}

function packageGroup(work: PackageWork, group: readonly Step[], journal: readonly JournalEntry[]): string[] {
  // The first is begun last, so that what is said is its.
  const begun = group.toReversed().map(({ index }) => `begin_item ${index}`);
  return [...begun, ...packageLines(work, group, journal), ...group.map(({ index }) => `done_item ${index}`)];
}

function otherGroup(
  group: readonly Step[],
  context: ScriptContext,
  checks: ReadonlyMap<number, readonly string[]>,
): string[] {
  const keeps = group.flatMap(({ item }) => keepLines(item));
  const first = group[0]?.index ?? 0;
  const enabled = group.filter(isEnabled);
  const together = enabled.length > 1 ? enabledTogether(enabled) : [];
  return [
    ...(keeps.length > 0 ? [`item=${first}`, ...keeps, 'commit'] : []),
    ...group.flatMap((numbered) => [
      ...(numbered === enabled[0] ? together : []),
      `begin_item ${numbered.index}`,
      ...(checks.get(numbered.index) ?? []),
      ...stepLines(numbered.item, context),
      ...(isWatched(numbered) ? [] : [`done_item ${numbered.index}`]),
    ]),
  ];
}

/** Each call of systemctl has systemd read all units anew. What fails here is told by the item itself, which looks again. */
function enabledTogether(items: readonly Step[]): string[] {
  return [`enable_together ${items.map(({ item }) => quote(unitName(idParts(item.id).name))).join(' ')}`];
}

const UNPACK = `# unpack VERSION DIGEST: a payload that was sent here before
unpack() {
  archive=${UPLOADS}/$2
  if [ ! -f "$archive" ]; then
    [ ! -d "${PAYLOADS}/$1" ] || return 0
    fail payload "the payload $1 was not sent to the host" 'Run the same command again.'
  fi
  check_file "$archive" "$2" "the payload $1"
  rm -rf ${PAYLOADS}/.new
  { mkdir -m 0755 ${PAYLOADS}/.new && tar -x --no-same-owner -f "$archive" -C ${PAYLOADS}/.new; } 2>"$error" || { rm -rf ${PAYLOADS}/.new; broke "the payload $1 could not be unpacked"; }
  rm -rf -- "${PAYLOADS}/$1"
  mv -fT ${PAYLOADS}/.new "${PAYLOADS}/$1" 2>"$error" || broke "the payload $1 could not be put in its place"
  rm -f "$archive"
}`;

/** Users and groups of the system, as they were before us: packages make some and leave them behind. */
const SYSTEM_ACCOUNTS = `accounts() {
  getent passwd | awk -F : '$3 < 1000 { print "user " $1 }'
  getent group | awk -F : '$3 < 1000 { print "group " $1 }'
}`;

/** The end of an uninstall: what this program kept for itself. Data of services beside it stays. */
const FAREWELL = `if [ -s ${ACCOUNTS} ]; then
  left=$(accounts | grep -vxFf ${ACCOUNTS} | sed -z 's/\\n\\(.\\)/, \\1/g')
  [ -z "$left" ] || emit "{\\"event\\":\\"left\\",\\"accounts\\":\\"$(json "$left")\\"}"
fi
for kept in ${PAYLOADS}/*/${RELEASED}; do [ -e "$kept" ] || rm -rf ${PAYLOADS}; done
rm -rf ${ACCOUNTS} ${SERVICES} ${STATE}/backup ${STARTED} ${CLUSTER} ${STATE}/lists-stale ${STATE}/start.lock
ended=yes
rm -rf ${JOURNAL} ${STATE}/run.json ${RUNS} ${RUN_LOCK}
rmdir ${STATE} 2>/dev/null`;
