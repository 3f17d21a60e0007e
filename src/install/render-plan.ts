/** Renders a plan for a terminal, or for a text file. */

import { count } from '../text/count.ts';
import type { PlanAction } from './item.ts';
import type { HostPlan, Plan, PlanItem } from './plan.ts';

export interface RenderOptions {
  readonly colour: boolean;
  /** `titles` omits the lines of diffs, `none` all changes. Default: `diff`. */
  readonly changes?: 'diff' | 'titles' | 'none';
  /** Lines before the last line. */
  readonly summary?: readonly string[];
}

type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const CODES: Readonly<Record<Colour, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

type Paint = (colour: Colour, text: string) => string;

const SIGNS: Readonly<Record<PlanAction, readonly [sign: string, colour: Colour]>> = {
  create: ['+', 'green'],
  install: ['+', 'green'],
  enable: ['+', 'green'],
  start: ['+', 'green'],
  change: ['~', 'yellow'],
  upgrade: ['~', 'yellow'],
  restart: ['~', 'yellow'],
  reload: ['~', 'yellow'],
  repair: ['~', 'yellow'],
  restore: ['~', 'yellow'],
  remove: ['-', 'red'],
  disable: ['-', 'red'],
  stop: ['-', 'red'],
  'step-down': ['~', 'yellow'],
  'replace-agent': ['!', 'red'],
  drain: ['!', 'yellow'],
  undrain: ['~', 'green'],
};

/** @returns text with a line end. Plans contain no secrets, so neither does the text. */
export function renderPlan(plan: Plan, options: RenderOptions): string {
  const paint: Paint = (colour, text) => {
    const [on, off] = CODES[colour];
    return options.colour ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  };
  const { changes = 'diff', summary: lines = [] } = options;
  const changed = plan.hosts.filter(({ items }) => items.length > 0);
  const blocks = blocksOf(changes === 'none' ? [] : changed, (item) =>
    renderItem(item, paint, changes === 'titles'),
  ).map((block) => [paint('bold', heading(block)), ...block.items.flat()]);
  const ending = [...lines, ...(lines.length > 0 ? [''] : []), summary(plan, changed, paint)];
  return `${[...blocks, ending].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** Items that are the same on several hosts, which are shown once. */
interface Block {
  /** Names of the hosts. */
  readonly hosts: string;
  readonly hostCount: number;
  readonly items: readonly (readonly string[])[];
}

/** Blocks with the most hosts come first. Items of a block are in the order of its first host. */
function blocksOf(plans: readonly HostPlan[], show: (item: PlanItem) => string[]): Block[] {
  const shown = new Map<string, { lines: string[]; hosts: string[] }>();
  for (const { host, items } of plans) {
    for (const lines of items.map(show)) {
      const key = lines.join('\n');
      const same = shown.get(key) ?? { lines, hosts: [] };
      same.hosts.push(host);
      shown.set(key, same);
    }
  }
  return [...Map.groupBy(shown.values(), ({ hosts }) => hosts.join(', '))]
    .map(([hosts, same]) => ({
      hosts,
      hostCount: same[0]?.hosts.length ?? 0,
      items: same.map(({ lines }) => lines),
    }))
    .sort((a, b) => b.hostCount - a.hostCount);
}

function heading({ hosts, hostCount, items }: Block): string {
  return `${hosts}  ${count(items.length, 'change')}${hostCount > 1 ? ' each' : ''}`;
}

function renderItem(item: PlanItem, paint: Paint, brief: boolean): string[] {
  const [sign, colour] = SIGNS[item.action];
  const reason = item.reason === undefined ? '' : paint('dim', ` ${item.reason}`);
  const lines = [`  ${paint(colour, sign)} ${item.title}${reason}`];
  if (item.endsTasks !== undefined) lines.push(`    ${paint('red', endsTasks(item))}`);
  if (!brief) lines.push(...item.diff.map((line) => `      ${diffLine(line, paint)}`));
  return lines;
}

function endsTasks({ action, endsTasks: tasks }: PlanItem): string {
  const effect = action === 'replace-agent' ? 'replaces the agent' : 'stops the agent';
  if (tasks === null || tasks === undefined) return `${effect}: its tasks end (their number is unknown)`;
  return `${effect}: ${count(tasks, 'task')} ${tasks === 1 ? 'ends' : 'end'}`;
}

function diffLine(line: string, paint: Paint): string {
  if (line.startsWith('+')) return paint('green', line);
  return line.startsWith('-') ? paint('red', line) : paint('dim', line);
}

function summary(plan: Plan, changed: readonly HostPlan[], paint: Paint): string {
  const hosts = count(plan.hosts.length, 'host');
  if (changed.length === 0) return `${paint('green', 'No changes')}: ${hosts} up to date.`;
  const items = changed.flatMap((host) => host.items);
  const restarts = items.filter(({ action }) => action === 'restart').length;
  const replaced = items.filter(({ action }) => action === 'replace-agent').length;
  const parts = [
    `${count(items.length, 'change')} on ${changed.length} of ${hosts}`,
    ...(restarts > 0 ? [`${count(restarts, 'service')} ${restarts === 1 ? 'restarts' : 'restart'}`] : []),
    ...(replaced > 0 ? [paint('red', `${count(replaced, 'agent')} replaced`)] : []),
  ];
  return `${parts.join(', ')}.`;
}
