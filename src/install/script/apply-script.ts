/**
 * The script that applies a host's plan: see `templates/host/apply`. It needs what the probe needs, apt-get and dpkg.
 * It runs independently of any connection, and reports its progress as one `RunEvent` a line. Each step can be
 * repeated: after a script was killed, a new plan is made.
 */

import { type Secrets, secretValues } from '../../cluster/secrets.ts';
import { quote } from '../../hosts/quote.ts';
import { idParts, type Numbered } from '../item.ts';
import { apiUser, type Credentials, operator } from '../operator.ts';
import { packagesIndex } from '../package-file.ts';
import type { HostPlan, PlanCommand, PlanItem } from '../plan.ts';
import { type PackageWork, packageLines } from '../resources/package.ts';
import { type JournalEntry, keepLines, type ScriptContext, stepLines } from '../resources/registry.ts';
import { checkLines, isEnabled, isWatched } from '../resources/service-kind.ts';
import { stepGroups } from '../step-groups.ts';
import { assemble, type HostScripts, type ScriptName } from './host-scripts.ts';
import { pinLines } from './pin-lines.ts';
import { RUNS, STARTED } from './places.ts';
import { unitName } from './unit-name.ts';

/** A server within the cluster, as its members reach it. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface ApplyOptions {
  /** Letters, digits and `-`; unique on the host. */
  readonly run: string;
  readonly command: PlanCommand;
  /** The cluster's name. */
  readonly cluster: string;
  /** user@machine (pid). */
  readonly who: string;
  readonly secrets?: Secrets;
  /** The host's journal, which items `restore` need. */
  readonly journal?: readonly JournalEntry[];
  /** Servers to wait for. */
  readonly zookeeper?: readonly Endpoint[];
  readonly masters?: readonly Endpoint[];
  readonly agent?: Endpoint;
  /** Schedulers that move tasks before an agent is drained. */
  readonly schedulers?: readonly Endpoint[];
  /** Work directory of the installed agent. */
  readonly agentWorkDir?: string;
  /**
   * Records whether the cluster is to run on the host; defaults to true for `start`, false for `stop` and `uninstall`.
   */
  readonly started?: boolean;
  readonly limits?: Partial<ApplyLimits>;
  /** Packages that apt may remove or downgrade, in addition to those in the plan. */
  readonly allowRemove?: readonly string[];
}

export interface ApplyLimits {
  /** Seconds for which one program may hold the dpkg lock. */
  readonly lock: number;
  /** Seconds without progress after which a wait for another host fails. */
  readonly edge: number;
  /** Seconds without a change after which the tasks that no other agent can take end with their agent's drain. */
  readonly move: number;
  /** Milliseconds for which a service has to stay up after its start. */
  readonly stay: number;
}

const LIMITS: ApplyLimits = { lock: 1800, edge: 300, move: 60, stay: 3000 };

const PARTS: readonly ScriptName[] = [
  'environment.sh',
  'ask.sh',
  'dpkg-lock.sh',
  'apt.sh',
  'apply/events.sh',
  'apply/run.sh',
  'apply/journal.sh',
  'apply/files.sh',
  'apply/users.sh',
  'apply/packages.sh',
  'apply/apt-get.sh',
  'apply/apt-errors.sh',
  'apply/archives.sh',
  'apply/services.sh',
  'apply/service-watch.sh',
  'apply/tasks.sh',
  'apply/edges.sh',
  'apply/drain.sh',
  'apply/cluster.sh',
];

type Step = Numbered<PlanItem>;

/** @throws TypeError for an invalid run id or item; its message contains no secret */
export function applyScript(scripts: HostScripts, plan: HostPlan, options: ApplyOptions): string {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(options.run)) throw new TypeError(`not a run's id: ${options.run}`);
  const { run, command, secrets, cluster } = options;
  const journal = options.journal ?? [];
  const context = { journal, secrets, cluster, agentWorkDir: options.agentWorkDir ?? '/var/lib/mesos' };
  const items = plan.items.map((item, index): Step => ({ item, index }));
  return assemble(scripts, PARTS, valuesOf(scripts, plan, options), [
    'open_run',
    'open_journal',
    'find_init',
    `begin_steps ${quote(run)} ${items.length}`,
    ...(command === 'uninstall' || command === 'drain' || command === 'undrain'
      ? []
      : [`remember_cluster ${quote(cluster)}`]),
    ...startedLines(options),
    ...itemLines(items, context),
    'settle_services',
    'reload_units',
    'drop_uploads',
    ...(command === 'uninstall' ? ['farewell'] : []),
    'finish true',
  ]);
}

function valuesOf(scripts: HostScripts, plan: HostPlan, options: ApplyOptions) {
  const { run, command, who, secrets, zookeeper = [], masters = [], schedulers = [], agent } = options;
  const limits = { ...LIMITS, ...options.limits };
  const credentials = secrets && encode(operator(secrets));
  const api = secrets && encode(apiUser(secrets));
  const encoded = [credentials, api].flatMap((one) => one?.replace(/=+$/, '') ?? []);
  const hidden = secrets ? [...secretValues(secrets), ...encoded] : [];
  return {
    RUN_DIRECTORY: `${RUNS}/${run}`,
    RECORD: JSON.stringify({ id: run, command, who }).replace(/}$/, ''),
    ESCAPE_COMMANDS: escapeCommands(scripts, hidden),
    APT_HOOK: scripts['apply/apt-hook.sh'],
    ALLOWED: allowedLosses(plan, options),
    PINS: pinLines(plan.pins),
    INDEX: packagesIndex(plan.files ?? []),
    ONLY: plan.onlyFiles ? 'yes' : '',
    LOCK_SECONDS: limits.lock,
    EDGE_SECONDS: limits.edge,
    STAY_MILLISECONDS: limits.stay,
    ZOOKEEPERS: zookeeper.map(endpointWords),
    MASTERS: masters.map(endpointWords),
    AGENT: agent ? endpointWords(agent) : '',
    SCHEDULERS: schedulers.map(endpointWords),
    MOVE_SECONDS: limits.move,
    API_AUTHORIZATION: api === undefined ? '' : `Basic ${api}`,
    AUTHORIZATION: credentials === undefined ? '' : `Basic ${credentials}`,
  };
}

const encode = ({ user, password }: Credentials) => btoa(`${user}:${password}`);

const endpointWords = ({ address, port }: Endpoint) => `${address} ${port}`;

/** Returns sed commands that escape a line for a JSON string, and replace known secrets by dots. */
export function escapeCommands(scripts: HostScripts, secrets: readonly string[]): string {
  const plain = secrets.filter((secret) => /^[A-Za-z0-9_-]{8,}$/.test(secret));
  return [...plain.map((secret) => `s/${secret}/••••••••/g`), scripts['apply/escape.sed'].trimEnd()].join(
    '\n',
  );
}

/** Lists the packages that apt may remove or downgrade, one a line. An uninstall may remove any package. */
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

/** Handles consecutive packages with one apt-get, and other consecutive items with one write of the journal. */
function itemLines(items: readonly Step[], context: ScriptContext): string[] {
  const checks = checkLines(items);
  return stepGroups(items, context.journal).flatMap(({ work, group }) =>
    work ? packageGroup(work, group, context.journal, items) : itemGroup(group, context, checks),
  );
}

function packageGroup(
  work: PackageWork,
  group: readonly Step[],
  journal: readonly JournalEntry[],
  items: readonly Step[],
): string[] {
  // The first item starts last, so that the output of apt-get belongs to it.
  const begun = group.toReversed().map(({ index }) => `begin_item ${index}`);
  const upgraded = group.filter(({ item }) => item.action === 'upgrade').map(({ item }) => item.id);
  const restarting = items.flatMap(({ item: { action, resource } }) =>
    action === 'restart' &&
    resource?.kind === 'service' &&
    resource.restartOn.some((id) => upgraded.includes(id))
      ? [quote(resource.name)]
      : [],
  );
  return [
    ...begun,
    ...(restarting.length > 0 ? [`forget_starts ${restarting.join(' ')}`] : []),
    ...packageLines(work, group, journal),
    ...group.map(({ index }) => `done_item ${index}`),
  ];
}

function itemGroup(
  group: readonly Step[],
  context: ScriptContext,
  checks: ReadonlyMap<number, readonly string[]>,
): string[] {
  const keeps = group.flatMap(({ item }) => keepLines(item));
  const first = group[0]?.index ?? 0;
  const enabled = group.filter(isEnabled);
  const together = enabled.length > 1 ? enableLines(enabled) : [];
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

/** Enables services with one call of systemctl, since each call makes systemd read all units again. */
function enableLines(items: readonly Step[]): string[] {
  return [`enable_together ${items.map(({ item }) => quote(unitName(idParts(item.id).name))).join(' ')}`];
}
