/** Examines the hosts of a cluster for the doctor, and asks its master. Changes nothing. */

import type { Secrets } from '../../cluster/secrets.ts';
import { HostError } from '../../hosts/host.ts';
import { diagnose } from '../doctor/diagnose.ts';
import type { Examination } from '../doctor/examination.ts';
import type { Finding, Read } from '../doctor/finding.ts';
import { examinationRequest } from '../doctor/request.ts';
import { readCertificates } from '../edge/certificates.ts';
import { describePayload } from '../edge/payload.ts';
import type { Problem } from '../plan.ts';
import { preflight } from '../preflight/preflight.ts';
import { examineScript } from '../script/examine-script.ts';
import { parseExamination } from '../script/parse-examination.ts';
import type { FactsByHost } from '../topology.ts';
import { masterAgents } from './master-agents.ts';
import { driftOf, type Program, surveyCluster } from './prepare.ts';
import { recheckHealth } from './recheck-health.ts';
import { askConcurrently } from './screen.ts';
import { problemOf, type Session } from './session.ts';

export interface ClusterExamination {
  readonly findings: readonly Finding[];
  /** True if the cluster was started on a host, and not stopped since. */
  readonly runs: boolean;
  readonly read: Read;
  /** Undefined for a cluster that was not installed from this machine. */
  readonly secrets: Secrets | undefined;
}

/** @throws MesosupError for a cluster whose secrets are on another machine */
export async function examineCluster(session: Session, program: Program): Promise<ClusterExamination> {
  const { cluster } = session;
  const [looked, payload] = await Promise.all([surveyCluster(session), describePayload(program.root)]);
  const { facts, unreachable } = await recheckHealth(session, looked, looked.secrets);
  const asking = Promise.all([examineHosts(session, facts), masterAgents(session, facts, looked.secrets)]);
  // While the hosts work.
  const drift = driftOf(session, payload, looked);
  const [{ examinations, lost }, agents] = await asking;
  const read: Read = {
    cluster,
    facts,
    examinations,
    unreachable: [...unreachable, ...lost],
    drift,
    agents,
  };
  const findings = diagnose({ ...read, preflight: preflight({ cluster, facts, payload }) });
  const runs = [...facts.values()].some(({ mesosup }) => mesosup.started);
  return { findings, runs, read, secrets: looked.secrets };
}

async function examineHosts(session: Session, facts: FactsByHost) {
  const { cluster, scripts } = session;
  const examinations = new Map<string, Examination>();
  const lost: Problem[] = [];
  await askConcurrently(
    session.screen,
    'Examining the hosts',
    [...facts.keys()],
    session.atOnce,
    async (name) => {
      const host = cluster.hosts.find((one) => one.name === name);
      const request = host && examinationRequest(cluster, host, facts);
      if (request === undefined) return;
      try {
        const { stdout } = await session.host(name).run(examineScript(scripts, request));
        examinations.set(name, parseExamination(stdout, request, readCertificates));
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        lost.push(problemOf(error));
      }
    },
  );
  return { examinations, lost };
}
