/** A fault that the doctor has found. */

import type { Cluster, ClusterHost } from '../../cluster/cluster.ts';
import type { Facts } from '../facts.ts';
import type { Plan, Problem } from '../plan.ts';
import type { MasterAgent } from '../script/agents-script.ts';
import type { FactsByHost } from '../topology.ts';
import type { Examination } from './examination.ts';

export interface Finding extends Problem {
  /** Lines of what was seen: output of programs, paths, numbers. */
  readonly evidence: readonly string[];
  /** True if an installation corrects it, which is what `doctor --fix` does. */
  readonly fixable: boolean;
}

export interface DoctorInput {
  readonly cluster: Cluster;
  /** Without unreachable hosts. */
  readonly facts: FactsByHost;
  /** By host; may lack hosts that have facts. */
  readonly examinations: ReadonlyMap<string, Examination>;
}

/** Everything that the doctor has read of a cluster. */
export interface Read extends DoctorInput {
  readonly unreachable: readonly Problem[];
  /** Plan of an installation; undefined when none can be made. */
  readonly drift: Plan | undefined;
  /** The agents that the leading master knows; undefined if none leads. */
  readonly agents: readonly MasterAgent[] | undefined;
}

/** A host that has both facts and an examination. */
export interface Patient extends DoctorInput {
  readonly host: ClusterHost;
  readonly own: Facts;
  readonly seen: Examination;
}

type More = Partial<Pick<Finding, 'evidence' | 'fixable' | 'severity'>>;

/** An error, unless `more` says otherwise. */
export function finding(
  host: string,
  check: string,
  message: string,
  remedy: string,
  { evidence = [], fixable = false, severity = 'error' }: More = {},
): Finding {
  return { host, check, message, remedy, severity, evidence, fixable };
}
