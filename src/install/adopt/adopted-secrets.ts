/** Takes over the credentials of a cluster that others installed. */

import type { ImportedKind, ImportedName, StoredSecretName } from '../../cluster/secrets.ts';
import { isImportable, isImportedName } from '../../cluster/secrets.ts';
import { isJson, parseJson } from '../../json.ts';
import { FILES_PRINCIPAL } from '../wanted/mesos-agent.ts';
import { MONITORING_USER } from '../wanted/monitoring-user.ts';
import type { AdoptedProcess } from './adopted-host.ts';
import { flagText, placeOf } from './process-flags.ts';

export interface AdoptedSecrets {
  /** By name of the secret in the state: imported ones, and own ones whose principal mesosup uses itself. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Texts for people, which say what can't be taken over. */
  readonly problems: readonly string[];
}

interface Found {
  readonly kind: ImportedKind;
  readonly principal: string;
  readonly secret: string;
}

/** Principals that mesosup uses itself. Only such a secret can become its own; see `ClusterState.secrets`. */
const OWN: Readonly<Record<string, StoredSecretName>> = {
  'agent/mesos-agent': 'agent',
  'agent-http/operator': 'operator',
  'master/mesos-agent': 'agent',
  'master/mesosup': 'scheduler',
  'master/operator': 'operator',
  'zookeeper/mesos': 'zookeeper-mesos',
};
const OWN_FORM = /^[A-Za-z0-9_-]{20,}$/;

/** mesosup makes the secrets of these from its other secrets. */
const DERIVED = new Set([FILES_PRINCIPAL, MONITORING_USER]);

export function adoptedSecrets(
  processes: readonly { readonly process: AdoptedProcess; readonly flags: ReadonlyMap<string, string> }[],
): AdoptedSecrets {
  const secrets: Record<string, string> = {};
  const problems = new Set<string>();
  for (const { process, flags } of processes) {
    for (const [flag, kind] of KINDS[process.role]) {
      const value = flags.get(flag);
      if (value === undefined) continue;
      const place = placeOf(process, flag);
      const text = flagText(process, value);
      const found = text === undefined ? undefined : credentialsIn(text, kind);
      if (found === undefined) {
        problems.add(
          `--${flag} (${place}): its file is missing, or has neither credentials as JSON nor lines "principal secret"`,
        );
        continue;
      }
      for (const one of found) {
        if (DERIVED.has(one.principal)) continue;
        const imported: ImportedName = `${one.kind}/${one.principal}`;
        const own = OWN[imported];
        const name = own ?? imported;
        const known = secrets[name];
        if (known !== undefined && known !== one.secret)
          problems.add(`${one.principal} has two secrets: the other one is at ${place}`);
        else if (own !== undefined && !OWN_FORM.test(one.secret))
          problems.add(
            `${one.principal} (${place}) is a principal of mesosup, but its secret is not one of at least 20 letters, digits, - and _`,
          );
        else if (!isImportable(one.secret) || !isImportedName(imported))
          problems.add(
            `the principal or secret of ${JSON.stringify(one.principal)} (${place}) has a quote, a backslash or a control character`,
          );
        else secrets[name] = one.secret;
      }
    }
  }
  const agents = Object.keys(secrets).filter((name) => name.startsWith('agent/'));
  if (agents.length > 1 || (agents.length === 1 && secrets.agent !== undefined && hasAgent(processes))) {
    problems.add(`the agents authenticate with several principals: ${agents.join(', ')}`);
  }
  return { secrets, problems: [...problems] };
}

/** True if an agent authenticates as mesosup's agents do. */
function hasAgent(
  processes: readonly { readonly process: AdoptedProcess; readonly flags: ReadonlyMap<string, string> }[],
): boolean {
  return processes.some(({ process, flags }) => {
    const text = flagText(process, flags.get('credential') ?? '');
    return (
      text !== undefined && credentialsIn(text, 'agent')?.some(({ principal }) => principal === 'mesos-agent')
    );
  });
}

const KINDS: Readonly<Record<AdoptedProcess['role'], readonly (readonly [string, ImportedKind])[]>> = {
  master: [
    ['credentials', 'master'],
    ['zk', 'zookeeper'],
  ],
  agent: [
    ['http_credentials', 'agent-http'],
    ['credential', 'agent'],
    ['master', 'zookeeper'],
  ],
};

/**
 * Parses credentials: JSON, or lines `principal secret`, which only old versions of Mesos read. For ZooKeeper, the user of
 * its URL.
 */
function credentialsIn(text: string, kind: ImportedKind): readonly Found[] | undefined {
  if (kind === 'zookeeper') {
    const [, user, password] = /^zk:\/\/([^:@/]+):([^@/]+)@/.exec(text.trim()) ?? [];
    return user === undefined || password === undefined ? [] : [{ kind, principal: user, secret: password }];
  }
  const json = parseJson(text);
  const list = isJson(json) ? (Array.isArray(json.credentials) ? json.credentials : [json]) : linesIn(text);
  const found = list.flatMap((one): Found[] => {
    if (!isJson(one) || typeof one.principal !== 'string' || typeof one.secret !== 'string') return [];
    return [{ kind, principal: one.principal, secret: one.secret }];
  });
  return found.length === list.length ? found : undefined;
}

function linesIn(text: string): readonly unknown[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [principal, secret, ...more] = line.trim().split(/\s+/);
      return more.length === 0 ? { principal, secret } : undefined;
    });
}
