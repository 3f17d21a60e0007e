/** Plans the phases of a rotation of secrets: the files that change on each host, and the services that restart. */

import type { Cluster } from '../cluster/cluster.ts';
import { NOT_ROTATED } from '../cluster/rotation.ts';
import {
  type RotationPhase,
  reveal,
  type Secrets,
  STORED_SECRET_NAMES,
  type StoredSecretName,
} from '../cluster/secrets.ts';
import { count } from '../text/count.ts';
import type { PlanInput } from './plan-cluster.ts';
import { resourceId } from './resources/registry.ts';
import type { FactsByHost } from './topology.ts';
import { wantedResources } from './wanted/wanted.ts';

export interface HostPhase {
  readonly host: string;
  /** Paths. */
  readonly files: readonly string[];
  /** Names of services. */
  readonly restarts: readonly string[];
}

export interface PhasePlan<Phase extends string = RotationPhase> {
  readonly phase: Phase;
  /** Without hosts on which nothing changes. */
  readonly hosts: readonly HostPhase[];
}

type Input = Pick<PlanInput, 'cluster' | 'facts' | 'templates' | 'payload' | 'sha256'>;

/**
 * Compares what is wanted on the hosts in each phase with the phase before.
 * @param before the secrets with which the hosts are installed now
 */
export function planPhases<Phase extends string>(
  input: Input,
  before: Secrets,
  phases: readonly { readonly phase: Phase; readonly secrets: Secrets }[],
): PhasePlan<Phase>[] {
  return phases.map(({ phase, secrets }, at) => ({
    phase,
    hosts: changedHosts(input, phases[at - 1]?.secrets ?? before, secrets),
  }));
}

function changedHosts(input: Input, before: Secrets, after: Secrets): HostPhase[] {
  return input.cluster.hosts.flatMap((host) => {
    if (!input.facts.has(host.name)) return [];
    const contents = (secrets: Secrets) =>
      new Map(
        wantedResources({ ...input, host, running: true, secrets }).flatMap((one): [string, string][] => {
          if (one.kind === 'file') return [[resourceId(one), reveal(one.content, secrets)]];
          return one.kind === 'service' ? [[resourceId(one), one.inputs]] : [];
        }),
      );
    const old = contents(before);
    const changed = [...contents(after)].filter(([id, text]) => old.get(id) !== text).map(([id]) => id);
    const named = (kind: string) =>
      changed.flatMap((id) => (id.startsWith(`${kind}:`) ? [id.slice(kind.length + 1)] : []));
    return changed.length === 0
      ? []
      : [{ host: host.name, files: named('file'), restarts: named('service') }];
  });
}

/** Flags of Mesos that replace the files of a secret, or that may name its principal. */
const FLAGS: Readonly<Partial<Record<StoredSecretName, readonly string[]>>> = {
  agent: ['credentials', 'credential', 'acls'],
  operator: ['credentials', 'http_credentials', 'acls'],
  scheduler: ['credentials', 'http_credentials', 'acls'],
  // Mesos' executor of commands has a token only with the second one.
  'executor-key': ['jwt_secret_key', 'http_command_executor'],
};

/**
 * Returns why a secret of this cluster can't be rotated, by name; nothing for the others.
 * @param facts of the hosts, if they are known
 * @param hasOwnAgents false: agents authenticate with a secret of a cluster that others installed (`mesosup adopt`)
 */
export function refusedRotations(
  cluster: Cluster,
  facts: FactsByHost = new Map(),
  hasOwnAgents = true,
): Partial<Record<StoredSecretName, string>> {
  const flags = [cluster, ...cluster.hosts].flatMap(({ masterFlags, agentFlags }) => [
    ...Object.keys(masterFlags),
    ...Object.keys(agentFlags),
  ]);
  const reasons = STORED_SECRET_NAMES.flatMap((name) => {
    const own = FLAGS[name]?.find((flag) => flags.includes(flag));
    const why =
      NOT_ROTATED[name] ??
      (own === undefined ? undefined : `the cluster file sets the flag ${own}, which mesosup can't change`) ??
      (name === 'executor-key' ? whyExecutorsEnd(cluster, facts) : undefined) ??
      (name === 'agent' && !hasOwnAgents
        ? 'agents use a principal of the cluster that was adopted'
        : undefined);
    return why === undefined ? [] : [[name, why] as const];
  });
  return Object.fromEntries(reasons);
}

/** Executors whose token is signed with the old key must be able to sign it again, or their agent ends their tasks. */
function whyExecutorsEnd({ schedulerFlags }: Cluster, facts: FactsByHost): string | undefined {
  const user = schedulerFlags.mesos_user;
  if (user !== undefined && user !== 'root')
    return `executors run as the user ${user}, who can't read the key to renew their tokens`;
  for (const [host, { master, mesosup }] of facts) {
    if (master.elected && master.frameworksActive > 1)
      return "executors of other frameworks can't renew their tokens, which would end their tasks";
    const old = (mesosup.inUse ?? []).find((version) => version !== mesosup.current);
    if (old !== undefined)
      return `programs of mesosup ${old} still run on ${host}, whose executors may be unable to renew their tokens: restart its apps first`;
  }
  return undefined;
}

const EFFECTS: Readonly<Record<RotationPhase, string>> = {
  accept: 'services accept the new secrets besides the old ones',
  use: 'clients use the new secrets',
  withdraw: 'services no longer accept the old secrets',
};

/** @returns lines without a line end at the end */
export function renderPhases(phases: readonly PhasePlan[]): string {
  return renderPlans(phases, EFFECTS);
}

/** @param effects what each phase does, as text for people @returns lines without a line end at the end */
export function renderPlans<Phase extends string>(
  phases: readonly PhasePlan<Phase>[],
  effects: Readonly<Record<Phase, string>>,
): string {
  return phases
    .flatMap(({ phase, hosts }) => [
      `${phase}: ${effects[phase]}`,
      ...hosts.map(
        ({ host, files, restarts }) =>
          `  ${host}: ${count(files.length, 'file')}, restarts ${restarts.join(', ') || 'nothing'}`,
      ),
    ])
    .join('\n');
}

/** Returns what people and other programs have to do after the rotation. */
export function afterRotation(cluster: Cluster, names: readonly StoredSecretName[]): string[] {
  return [
    ...(names.includes('api')
      ? [
          'People with a context for the scheduler on other machines need the new password, and sign in to the page again.',
        ]
      : []),
    ...(names.includes('api') && cluster.monitoring
      ? ['Prometheus needs its new password: mesosup monitoring config']
      : []),
    ...(names.includes('operator') ? ['The principal of people at Mesos has a new name and secret.'] : []),
    'Make a new backup: the secrets in older ones no longer work.',
  ];
}
