/** Makes the files of a support bundle: what the doctor read and found, without secrets. */

import { stringify } from 'yaml';
import { namesSecret, redactor, redactValue, secretsIn } from '../../cluster/redaction.ts';
import type { Facts } from '../facts.ts';
import type { FileFacts } from '../host-facts.ts';
import { renderPlan } from '../render-plan.ts';
import type { Collection } from '../script/collect-script.ts';
import type { Read } from './finding.ts';
import { type Diagnosis, renderDiagnosis } from './render.ts';

export interface BundleInput extends Read {
  /** ISO 8601. */
  readonly made: string;
  readonly release: string;
  /** The cluster file, as parsed YAML; undefined without one. */
  readonly spec: unknown;
  readonly diagnosis: Diagnosis;
  /** By host; lacks hosts that could not be read. */
  readonly collections: ReadonlyMap<string, Collection>;
  readonly secrets: readonly string[];
}

export interface BundleFile {
  /** Relative path. */
  readonly name: string;
  readonly content: string;
}

const README = `What the doctor of mesosup read of a cluster, and what it found. Secrets are replaced by dots.

findings.txt, findings.json   what was found
cluster.yaml, cluster.json    the cluster file, and the cluster with every default
plan.txt                      what an installation would change
hosts/HOST/facts.json         versions, states of services, health, files that all users may read
hosts/HOST/examination.json   connections to other hosts, file systems, Docker, ZooKeeper
hosts/HOST/system             output of programs: kernel, services, disks, processes, network, containers
hosts/HOST/logs               the last lines of each service
hosts/HOST/metrics            what each server reports of itself
`;

/** @returns files of at most 100 bytes of name each, whose contents contain no secret in any form that `hider` knows */
export function bundleFiles(input: BundleInput): BundleFile[] {
  const { cluster, facts, examinations, collections, diagnosis, drift, spec } = input;
  const redact = redactor([...input.secrets, ...secretsIn(cluster)]);
  const text = (name: string, content: string): BundleFile => ({ name, content: redact(content) });
  const json = (name: string, value: unknown): BundleFile => ({
    name,
    content: `${JSON.stringify(redactValue(value, redact), null, 2)}\n`,
  });
  const { made, release, agents, unreachable } = input;
  return [
    { name: 'README', content: README },
    json('bundle.json', { format: 1, release, made, cluster: cluster.name, unreachable, agents }),
    text('findings.txt', `${renderDiagnosis(diagnosis)}\n`),
    json('findings.json', diagnosis),
    json('cluster.json', cluster),
    ...(spec === undefined ? [] : [{ name: 'cluster.yaml', content: stringify(redactValue(spec, redact)) }]),
    ...(drift === undefined ? [] : [text('plan.txt', renderPlan(drift, { colour: false }))]),
    ...cluster.hosts.flatMap(({ name }, index) => {
      const at = `hosts/${directoryOf(name, index)}`;
      const own = facts.get(name);
      const seen = examinations.get(name);
      const { logs = {}, system = {}, metrics = {} } = collections.get(name) ?? {};
      const texts = (kind: string, all: Readonly<Record<string, string>>, end: string) =>
        Object.entries(all).map(([one, content]) => text(`${at}/${kind}/${one}${end}`, content));
      return [
        ...(own ? [json(`${at}/facts.json`, shownFacts(own))] : []),
        ...(seen ? [json(`${at}/examination.json`, seen)] : []),
        ...texts('system', system, '.txt'),
        ...texts('logs', logs, '.log'),
        ...Object.entries(metrics).map(([role, content]) => metric(`${at}/metrics/${role}`, content)),
      ];
    }),
  ];

  function metric(name: string, content: string): BundleFile {
    try {
      return json(`${name}.json`, JSON.parse(content));
    } catch {
      return text(`${name}.txt`, content);
    }
  }
}

/** The name of a host may be long, or no name for a file. */
function directoryOf(host: string, index: number): string {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/.test(host) ? host : `host-${index + 1}`;
}

/** The facts without the contents of files that may be secret, and without their digests, of which short ones can be guessed. */
function shownFacts(facts: Facts): Facts {
  return {
    ...facts,
    files: Object.fromEntries(
      Object.entries(facts.files).map(([path, file]) => [path, shownFile(path, file)]),
    ),
    // Its entries contain previous contents of files.
    mesosup: { ...facts.mesosup, journal: [] },
  };
}

function shownFile(path: string, { text, content: _content, sha256, ...file }: FileFacts): FileFacts {
  const isOpen = /[4-7]$/.test(file.mode) && !namesSecret(path.slice(path.lastIndexOf('/') + 1));
  return {
    ...file,
    ...(isOpen && text !== undefined && { text }),
    ...(isOpen && sha256 !== undefined && { sha256 }),
  };
}
