/**
 * Deployment groups: several apps behind the ports and virtual hosts of one of them, each with its share of the requests.
 * Source of `HAPROXY_DEPLOYMENT_GROUP`: marathon-lb's README. The share is a label of mesosup, which marathon-lb lacks.
 */

import { backendName, type Problem, type Server, type Service } from './service.ts';

export const GROUP_LABEL = 'HAPROXY_DEPLOYMENT_GROUP';
export const SHARE_LABEL = 'HAPROXY_DEPLOYMENT_SHARE';

export interface Deployment {
  /** Id of the group: that of one of its apps, or an id that no app has. */
  readonly group: string;
  /** Percent of the requests. */
  readonly share: number | undefined;
}

export interface GroupedApp {
  readonly appId: string;
  readonly deployment: Deployment | undefined;
  readonly services: readonly Service[];
}

/** haproxy's largest weight. */
const MOST = 256;
/** Methods that don't divide requests by weights. */
const UNWEIGHTED = new Set(['static-rr', 'leastconn', 'first', 'random']);

/** @returns undefined without a group; for a label that is refused, the label and the reason */
export function readDeployment(
  appId: string,
  labels: Readonly<Record<string, string>>,
): Deployment | { readonly label: string; readonly why: string } | undefined {
  const value = labels[GROUP_LABEL];
  const text = labels[SHARE_LABEL];
  if (value === undefined) {
    return text === undefined
      ? undefined
      : { label: SHARE_LABEL, why: `has no effect without ${GROUP_LABEL}` };
  }
  const parent = appId.slice(0, appId.lastIndexOf('/') + 1);
  const group = value.startsWith('/') ? value : parent + value;
  // Whoever deploys elsewhere must not get a part of the requests.
  if (!group.startsWith(parent) || !/^[A-Za-z0-9._-]{1,255}$/.test(group.slice(parent.length)))
    return { label: GROUP_LABEL, why: `must be a name, for apps of the same group ${parent}` };
  if (text !== undefined && (!/^\d{1,3}$/.test(text) || Number(text) > 100))
    return { label: SHARE_LABEL, why: 'must be a whole number of percent, from 0 to 100' };
  return { group, share: text === undefined ? undefined : Number(text) };
}

/**
 * Adds the servers of all apps of a group to the services of the app that has the group's id, or else of the oldest one.
 * Their other ports and labels do not count.
 * @param apps the oldest first
 */
export function joinDeploymentGroups(apps: readonly GroupedApp[], problems: Problem[]): Service[] {
  const groups = new Map<string, GroupedApp[]>();
  for (const app of apps) {
    const group = app.deployment?.group ?? app.appId;
    const known = groups.get(group);
    if (known) known.push(app);
    else groups.set(group, [app]);
  }
  return [...groups].flatMap(([group, members]) => join(group, members, problems));
}

function join(group: string, members: readonly GroupedApp[], problems: Problem[]): Service[] {
  const owner = members.find(({ appId }) => appId === group) ?? members[0];
  if (!owner) return [];
  const own = owner.services;
  for (const { appId, services } of members) {
    const served = own.map((one) => samePort(one, own, services));
    for (const service of services) {
      const { portIndex } = service;
      if (services === own || served.includes(service)) continue;
      problems.push({
        appId,
        text: `port ${portIndex} is not served: ${owner.appId} has no such port, and both are of the deployment group ${group}`,
      });
    }
  }
  const shares = members.map(({ appId, deployment }) => ({ appId, share: deployment?.share }));
  const hasShares = shares.some(({ share }) => share !== undefined);
  const total = shares.reduce((sum, { share = 0 }) => sum + share, 0);
  if (total > 100) {
    const text = `the shares of the deployment group ${group} are ${total}% together: they count in proportion, and apps without a share get nothing`;
    problems.push({ appId: owner.appId, text });
  }
  return own.map((service): Service => {
    const { portIndex, settings } = service;
    const backend = backendName(group, portIndex);
    // Its app may have been removed before its canary got requests.
    if (members.length === 1 && shares[0]?.share !== 0) return { ...service, backend };
    const servers = members.map(({ services }) => samePort(service, own, services)?.servers ?? []);
    const weights = weightsOf(shares.map(({ share }, i) => ({ share, tasks: servers[i]?.length ?? 0 })));
    const { balance } = settings;
    const isUnweighted = hasShares && balance !== undefined && UNWEIGHTED.has(balance);
    if (isUnweighted) {
      const text = `label HAPROXY_${portIndex}_BALANCE can't be ${balance} in a deployment group with shares: it is roundrobin`;
      problems.push({ appId: owner.appId, text });
    }
    return {
      ...service,
      backend,
      settings: isUnweighted ? { ...settings, balance: 'roundrobin' } : settings,
      servers: servers.flatMap((some, i) => some.map((one) => weighted(one, weights[i]))),
      members: shares,
    };
  });
}

/**
 * A new definition may have its ports in another order: the port of a member is the one with the same name, or else the one
 * at the same position, unless its name is that of another port.
 */
function samePort(
  { portIndex, portName }: Service,
  own: readonly Service[],
  services: readonly Service[],
): Service | undefined {
  const named = services.find((one) => portName !== undefined && one.portName === portName);
  if (named) return named;
  const placed = services.find((one) => one.portIndex === portIndex);
  const isOther = placed?.portName !== undefined && own.some((one) => one.portName === placed.portName);
  return isOther ? undefined : placed;
}

function weighted(server: Server, weight: number | undefined): Server {
  return weight === undefined ? server : { ...server, weight };
}

/**
 * The weight of each server of these apps, so that together they get their share. Apps without a share divide the rest by
 * their numbers of tasks. The share of an app without tasks goes to the others.
 * @returns undefined for 1
 */
export function weightsOf(
  apps: readonly { readonly share: number | undefined; readonly tasks: number }[],
): (number | undefined)[] {
  const rest = Math.max(0, 100 - apps.reduce((sum, { share = 0 }) => sum + share, 0));
  const restTasks = apps.reduce((sum, { share, tasks }) => sum + (share === undefined ? tasks : 0), 0);
  const parts = apps.map(({ share, tasks }) => {
    if (tasks === 0) return 0;
    return share === undefined ? rest / restTasks : share / tasks;
  });
  // Nobody else can serve.
  const isLost = parts.every((part) => part === 0);
  const wanted = isLost ? apps.map(({ share }) => (share === undefined ? 1 : 0)) : parts;
  const most = Math.max(...wanted);
  const weights = wanted.map((part) => (part === 0 ? 0 : Math.max(1, Math.round((part / most) * MOST))));
  const used = new Set(weights.filter((_, i) => apps[i]?.tasks !== 0));
  return used.size === 1 && !used.has(0) ? weights.map(() => undefined) : weights;
}
