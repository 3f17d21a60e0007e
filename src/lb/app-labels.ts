/** Reads all labels `HAPROXY_…` of an app. */

import { type Deployment, GROUP_LABEL, readDeployment, SHARE_LABEL } from './deployment-groups.ts';
import { type LabelPolicy, type PortSettings, parsePortLabel } from './port-labels.ts';
import { unsupported } from './unsupported-labels.ts';

export interface LabelProblem {
  readonly label: string;
  /** Continues a sentence that begins with the label. */
  readonly why: string;
}

export interface AppSettings {
  /** One entry for each port of the app. */
  readonly ports: readonly PortSettings[];
  readonly deployment: Deployment | undefined;
  readonly problems: readonly LabelProblem[];
}

const PREFIX = 'HAPROXY_';
const NUMBERED = /^HAPROXY_(\d{1,4})_([A-Z0-9_]+)$/;
const MAX_SHOWN = 80;
/** Read together: what one of them means depends on the others. */
const OF_APP = new Set(['HAPROXY_GROUP', GROUP_LABEL, SHARE_LABEL]);
const RESTRICTIONS = new Set(['ENABLED', 'AUTH', 'BACKEND_NETWORK_ALLOWED_ACL', 'BIND_ADDR']);

/** Labels with a problem have no effect, except those that restrict access. */
export function readAppLabels(
  appId: string,
  labels: Readonly<Record<string, string>>,
  portCount: number,
  policy: LabelPolicy,
): AppSettings {
  const problems: LabelProblem[] = [];
  const group = read('GROUP', 'HAPROXY_GROUP', labels.HAPROXY_GROUP, policy, problems);
  const ports: PortSettings[] = Array.from({ length: portCount }, () => group);
  // Sorted, so that the result does not depend on the order in which they were written.
  for (const label of Object.keys(labels).sort()) {
    if (!label.startsWith(PREFIX) || OF_APP.has(label)) continue;
    const [, digits = '', name] = NUMBERED.exec(label) ?? [];
    const index = Number(digits);
    if (name === undefined) problems.push(problemOf(label, unsupported(label.slice(PREFIX.length))));
    else if (index >= portCount)
      problems.push(problemOf(label, `is for port ${index}, and the app has ${portCount} (numbered from 0)`));
    else {
      const before = ports[index] ?? {};
      const settings = read(name, label, labels[label], policy, problems);
      const templates = { ...before.templates, ...settings.templates };
      ports[index] = { ...before, ...settings, ...(settings.templates && { templates }) };
    }
  }
  const deployment = readDeployment(appId, labels);
  if (deployment && 'why' in deployment) {
    problems.push(deployment);
    return { ports, deployment: undefined, problems };
  }
  return { ports, deployment, problems };
}

function read(
  name: string,
  label: string,
  value: string | undefined,
  policy: LabelPolicy,
  problems: LabelProblem[],
): PortSettings {
  if (value === undefined) return {};
  const settings = parsePortLabel(name, value, policy) ?? unsupported(name);
  if (typeof settings !== 'string') return settings;
  problems.push(problemOf(label, settings));
  return RESTRICTIONS.has(name) ? { closedBy: label } : {};
}

/** Labels come from users: their names may contain anything, and be long. */
function problemOf(label: string, why: string): LabelProblem {
  const shown = label.replaceAll(/[^A-Za-z0-9_.-]/g, '?').slice(0, MAX_SHOWN);
  return { label: shown, why };
}
