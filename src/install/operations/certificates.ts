/** Issues certificates that hosts of a cluster lack, and replaces certificates that end soon. */

import {
  type Authority,
  dueLeaves,
  type KeptCertificates,
  type LeafNames,
  leafKey,
  signerOf,
  tlsFiles,
  wantedLeaves,
  withLeaves,
} from '../../cluster/certificates.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { makePassPhrase, readPassPhrase } from '../../cluster/edge/pass-phrase.ts';
import type { Secrets } from '../../cluster/secrets.ts';
import { MesosupError } from '../../errors/mesosup-error.ts';
import { type Beginning, beginningOf } from '../tls-obstacles.ts';
import { addressOf, type FactsByHost } from '../topology.ts';
import type { Session } from './session.ts';

type Owner = Pick<Session, 'cluster' | 'state'>;

/** Returns the certificates that the reachable hosts need. */
export function leavesFor(cluster: Cluster, facts: FactsByHost): LeafNames[] {
  return cluster.hosts.flatMap((host) => {
    const own = facts.get(host.name);
    const address = addressOf(cluster, host, facts);
    if (own === undefined) return [];
    return wantedLeaves(cluster, host, [own.hostname, ...(address === undefined ? [] : [address])]);
  });
}

/**
 * Returns the secrets without certificates that are to be issued, so that a plan shows that they change. Such secrets
 * are for plans only.
 */
export async function withoutDue(
  { cluster, state }: Owner,
  facts: FactsByHost,
  secrets: Secrets,
): Promise<Secrets> {
  const kept = await state.certificates();
  if (kept === undefined) return secrets;
  const due = new Set(dueLeaves(kept, leavesFor(cluster, facts), Date.now()).map(leafKey));
  const leaves = kept.leaves.filter((leaf) => !due.has(leafKey(leaf)));
  return { ...secrets, tls: tlsFiles({ ...kept, leaves }) };
}

/**
 * Issues what is due, and stores it.
 * @returns the secrets with all certificates
 * @throws MesosupError if the pass phrase of the authority can't be read, or is wrong
 */
export async function issueCertificates(
  owner: Owner,
  facts: FactsByHost,
  secrets: Secrets,
): Promise<Secrets> {
  const kept = await owner.state.certificates();
  if (kept === undefined) return secrets;
  const due = dueLeaves(kept, leavesFor(owner.cluster, facts), Date.now());
  if (due.length === 0) return { ...secrets, tls: tlsFiles(kept) };
  const all = await issue(owner, kept, due);
  await owner.state.keepCertificates(all);
  return { ...secrets, tls: tlsFiles(all) };
}

/**
 * Makes the secrets of a new cluster, and its authority if it begins with TLS: then nothing takes plain text from the
 * beginning.
 * @throws MesosupError as `checkedBeginning`, or if the pass phrase of the authority can't be written
 */
export async function makeSecrets(owner: Owner, facts: FactsByHost): Promise<Secrets> {
  // First, since a cluster is new only until it has secrets.
  if (checkedBeginning(owner, facts).tls && (await owner.state.certificates()) === undefined) {
    const authorities = [await newAuthority(owner, 1)];
    await owner.state.beginCertificates({ state: 'require', authorities, leaves: [] });
  }
  return owner.state.makeSecrets();
}

/** @throws MesosupError if the cluster file asks for TLS, and something prevents it */
export function checkedBeginning({ cluster }: Pick<Owner, 'cluster'>, facts: FactsByHost): Beginning {
  const begins = beginningOf(cluster, facts);
  if (begins.obstacle && cluster.tls === true)
    throw new MesosupError(begins.obstacle.message, { remedy: begins.obstacle.remedy });
  return begins;
}

/** Makes an authority, and the pass phrase of this user if there is none. @param generation 1 for the first one */
export async function newAuthority(
  { cluster }: Pick<Owner, 'cluster'>,
  generation: number,
): Promise<Authority> {
  const { makeAuthority } = await import('../../cluster/edge/authority.ts');
  return makeAuthority(cluster.name, generation, await makePassPhrase(), Date.now());
}

/** Returns the certificates with new ones in place of all. @throws as `issueCertificates` */
export function renewAll(owner: Owner, kept: KeptCertificates): Promise<KeptCertificates> {
  return issue(owner, kept, kept.leaves);
}

async function issue(
  { cluster, state }: Owner,
  kept: KeptCertificates,
  wanted: readonly LeafNames[],
): Promise<KeptCertificates> {
  // Loaded only to sign, since the library takes as long to load as most commands run.
  const { issueLeaves } = await import('../../cluster/edge/authority.ts');
  const options = { passPhrase: await readPassPhrase(), now: Date.now(), file: state.certificatesFile };
  const names = wanted.map(({ host, service, names }) => ({ host, service, names }));
  const issued = await issueLeaves(signerOf(kept), names, options);
  return withLeaves(
    kept,
    issued,
    cluster.hosts.map(({ name }) => name),
  );
}
