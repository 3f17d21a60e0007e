/** Renders the summary of a plan for a terminal of 60 columns or more. */

import { columns } from '../text/columns.ts';
import { count } from '../text/count.ts';
import { listed } from '../text/listed.ts';
import type { MovedVersion } from './locked-versions.ts';
import { ESTIMATED_MB_PER_SECOND, type PlanSummary, type SummarizedHost } from './summary.ts';
import { STAGE_TITLES, type Stage } from './upgrade/stages.ts';

/**
 * @param detailed true shows why each address was chosen
 * @returns lines; none if the plan has no changes
 */
export function renderSummary(summary: PlanSummary, detailed: boolean): string[] {
  if (summary.hosts.length === 0) return [];
  const facts = [
    ['Packages', packagesText(summary)],
    ['Versions', pinnedText(summary)],
    ['Copied', copyText(summary)],
    ...summary.files.map((one) => ['Files', filesText(one)]),
    ['TLS', summary.plainText === undefined ? '' : `none: ${summary.plainText}`],
    ['Time', timeText(summary)],
    ['Restarts', servicesText(summary.restarts)],
    ['Stops', servicesText(summary.stops)],
    ...orderTexts(summary),
    ...drainTexts(summary).map((text) => ['Tasks', text]),
    ...endingTexts(summary).map((text) => ['Tasks', text]),
    ...noteTexts(summary).map((text) => ['Also', text]),
  ].filter(([, text]) => text !== '');
  return [
    ...hostTable(summary, detailed).split('\n'),
    '',
    ...versionLines(summary),
    ...facts.map(([label = '', text]) => `${(label === '' ? '' : `${label}:`).padEnd(10)}${text}`),
  ];
}

function hostTable({ hosts }: PlanSummary, detailed: boolean): string {
  const hasAddress = hosts.some(({ address }) => address !== undefined);
  const shown = [
    { title: 'HOST', cell: ({ host }: SummarizedHost) => host },
    ...(hasAddress
      ? [{ title: 'ADDRESS', cell: ({ address }: SummarizedHost) => address?.address ?? '' }]
      : []),
    { title: 'CHANGES', cell: ({ changes }: SummarizedHost) => String(changes) },
    { title: 'ROLES', cell: ({ roles }: SummarizedHost) => roles.join(', ') },
    ...(hasAddress && detailed
      ? [{ title: 'ADDRESS CHOSEN AS', cell: ({ address }: SummarizedHost) => address?.why ?? '' }]
      : []),
  ];
  return columns(
    shown.map(({ title }) => title),
    hosts.map((host) => shown.map(({ cell }) => cell(host))),
  );
}

function packagesText(summary: PlanSummary): string {
  const { install, upgrade, remove } = summary.packages;
  const parts = [
    ...(install > 0 ? [`${install} to install`] : []),
    ...(upgrade > 0 ? [`${upgrade} to change`] : []),
    ...(remove > 0 ? [`${remove} to remove`] : []),
  ];
  if (parts.length === 0) return '';
  const hosts = summary.hosts.length > 1 ? ' on all hosts together' : '';
  return `${parts.join(', ')}${hosts}${install + upgrade > 0 ? `; ${downloadText(summary)}` : ''}`;
}

function pinnedText({ pinned, bundled }: PlanSummary): string {
  if (bundled.length > 0) return `as in the bundle on ${listed(bundled)}`;
  return pinned.length === 0 ? '' : `as in versions.lock on ${listed(pinned)}`;
}

function downloadText({ downloadBytes, isDownloadKnown }: PlanSummary): string {
  if (isDownloadKnown) return `${megabytes(downloadBytes)} to download`;
  return downloadBytes === 0
    ? 'the size of the download is not known'
    : `at least ${megabytes(downloadBytes)} to download`;
}

function copyText({ copy }: PlanSummary): string {
  if (copy === undefined) return '';
  return `${megabytes(copy.bytes)} from this machine to ${listed(copy.hosts)}`;
}

function filesText({ host, packages, bytes }: PlanSummary['files'][number]): string {
  return `${count(packages, 'package')} with ${megabytes(bytes)} from this machine to ${host}`;
}

function timeText({ seconds, downloadBytes, isDownloadKnown }: PlanSummary): string {
  const time = seconds < 50 ? 'less than a minute' : `about ${Math.ceil(seconds / 60)} min`;
  const rate = downloadBytes === 0 ? '' : ` if each host downloads ${ESTIMATED_MB_PER_SECOND} MB/s`;
  return `${time}${rate}${isDownloadKnown ? '' : ', without downloads of unknown size'}`;
}

function servicesText(services: PlanSummary['restarts']): string {
  return Object.entries(services)
    .map(([name, hosts]) => `${name} on ${listed(hosts)}`)
    .join('; ');
}

function orderTexts({ steps, upgrade }: PlanSummary): string[][] {
  if (upgrade === undefined) {
    const text = `${steps} groups of hosts, one after another, so that the cluster keeps working`;
    return steps > 1 ? [['Order', text]] : [];
  }
  const stages = upgrade.order.filter(({ stage }) => STAGE_TITLES[stage] !== undefined);
  const runs: { stage: Stage; groups: string[] }[] = [];
  for (const { stage, hosts } of stages) {
    const last = runs.at(-1);
    if (last?.stage === stage) last.groups.push(hosts.join('+'));
    else runs.push({ stage, groups: [hosts.join('+')] });
  }
  return runs.map(({ stage, groups }, at) => [
    at === 0 ? 'Order' : '',
    `${STAGE_TITLES[stage]}: ${groups.join(', then ')}`,
  ]);
}

function drainTexts({ drains }: PlanSummary): string[] {
  return drains.map(({ host, tasks, reason }) => {
    const what = tasks === null ? 'its tasks' : count(tasks, 'task');
    return `${host}: ${what} ${tasks === 1 ? 'moves' : 'move'} to other agents or ${tasks === 1 ? 'ends' : 'end'}, ${reason}`;
  });
}

/** Tables of the versions that change; the same change on several hosts is one line. */
function versionLines({ upgrade, moved }: PlanSummary): string[] {
  const upgraded = (upgrade?.versions ?? []).filter(({ from, to }) => from !== to);
  return [...versionTable('UPGRADE', upgraded), ...versionTable('VERSIONS.LOCK', moved)];
}

function versionTable(title: string, changed: readonly MovedVersion[]): string[] {
  if (changed.length === 0) return [];
  const groups = [...Map.groupBy(changed, ({ name, from, to }) => `${name} ${from} ${to}`).values()];
  const rows = groups.flatMap((same) => {
    const [first] = same;
    return first ? [[first.name, first.from, first.to, listed(same.map(({ host }) => host))]] : [];
  });
  return [...columns([title, 'FROM', 'TO', 'HOSTS'], rows).split('\n'), ''];
}

function endingTexts({ endsTasks }: PlanSummary): string[] {
  return endsTasks.map(({ host, tasks, replaced }) => {
    const effect = replaced ? 'replaces the agent' : 'stops the agent';
    if (tasks === null) return `${host}: ${effect}: its tasks end (their number is unknown)`;
    return `${host}: ${effect}: ${count(tasks, 'task')} ${tasks === 1 ? 'ends' : 'end'}`;
  });
}

function noteTexts({ notable }: PlanSummary): string[] {
  const hostsByTitle = Map.groupBy(notable, ({ title }) => title);
  return [...hostsByTitle].map(([title, hosts]) => `${title} (${listed(hosts.map(({ host }) => host))})`);
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? 'less than 1 MB' : `${Math.round(bytes / 1e6)} MB`;
}
