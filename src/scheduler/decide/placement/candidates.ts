import type { App } from '../../domain/app.ts';
import { popHeap, pushHeap } from '../../domain/heap.ts';
import type { AppRecord } from '../../domain/state.ts';
import { isCounted } from '../../domain/task.ts';
import { type Bin, type Fit, tryFit } from './bin.ts';
import { allows, countTask, mayAllowLater, type Rule, rulesOf } from './constraints.ts';
import { type Fields, fieldsOf, readField } from './fields.ts';
import type { Shelf } from './shelf.ts';

interface Counted {
  readonly bin: Bin;
  /** Number of the app's tasks on the agent. */
  readonly count: number;
  /** Breaks ties: lower values first. */
  readonly turn: number;
}

export interface Candidate {
  readonly bin: Bin;
  readonly fit: Fit;
  readonly fields: Fields;
}

interface Held {
  readonly fields: Fields;
  readonly bins: Bin[];
}

const NO_FIELDS: Fields = {};

/**
 * Yields the agents for an app's tasks in order: agents with the fewest tasks of the app first, and among those the
 * agents with the most free CPUs. `close` returns the unused bins to the shelf, for other apps.
 */
export class Candidates {
  readonly #shelf: Shelf;
  readonly #record: AppRecord;
  readonly #app: App;
  #rules: readonly Rule[] | undefined;
  #taken: ReadonlySet<string> | undefined;
  #turns = 0;
  /** Changes with each launch while tasks keep failing: a process outside Mesos may hold the port they got. */
  readonly #turn: number;
  /** Number of tasks about to be launched, by agent. */
  readonly #placedByAgent = new Map<string, number>();
  /** Bins of agents that already run tasks of the app. */
  readonly #used: Counted[] = [];
  /** Bins that wait until other values of the GROUP_BY fields have caught up, by these values. */
  readonly #held = new Map<string, Held>();
  /** Bins that this app can't use any more. */
  readonly #excluded: Bin[] = [];
  readonly #broken: Bin[] = [];
  /** Number of bins that were tried without success. */
  tries = 0;

  constructor(shelf: Shelf, record: AppRecord, app: App) {
    this.#shelf = shelf;
    this.#record = record;
    this.#app = app;
    this.#turn = record.delay ? record.launches : 0;
  }

  /** The constraints, including the tasks placed so far; the counts are copied on first use. */
  get rules(): readonly Rule[] {
    this.#rules ??= rulesOf(this.#record, this.#app);
    return this.#rules;
  }

  next(): Candidate | undefined {
    for (;;) {
      const bin = this.#takeReleased() ?? this.#takeFresh() ?? popHeap(this.#used, isEmptier)?.bin;
      if (!bin) return undefined;
      const fit = tryFit(bin, this.#shelf.want, this.#turn);
      if (typeof fit === 'string') {
        this.tries += 1;
        this.#shelf.removeFailed(bin, fit);
        continue;
      }
      const fields = this.#app.constraints.length > 0 ? fieldsOf(this.#app, bin.offer) : NO_FIELDS;
      if (this.#isAllowed(bin, fields)) return { bin, fit, fields };
      this.tries += 1;
    }
  }

  /** Records that a task was placed. */
  placed({ bin, fields }: Candidate): void {
    if (this.#app.constraints.length > 0) countTask(this.rules, fields);
    const agentId = bin.offer.agent_id.value;
    this.#placedByAgent.set(agentId, (this.#placedByAgent.get(agentId) ?? 0) + 1);
    if (this.#app.mode === 'daemon') this.#excluded.push(bin);
    else if (!this.#shelf.isFull(bin)) this.#markUsed(bin);
  }

  /** Returns all bins to the shelf. @returns the bins that violate a constraint */
  close(): readonly Bin[] {
    const held = [...this.#held.values()].flatMap(({ bins }) => bins);
    const broken = [...this.#broken, ...held];
    for (const { bin } of this.#used) this.#shelf.giveBack(bin);
    for (const bin of [...this.#excluded, ...broken]) this.#shelf.giveBack(bin);
    return broken;
  }

  #markUsed(bin: Bin): void {
    const agentId = bin.offer.agent_id.value;
    const before = this.#record.perAgent.get(agentId) ?? 0;
    const count = before + (this.#placedByAgent.get(agentId) ?? 0);
    this.#turns += 1;
    pushHeap(this.#used, { bin, count, turn: this.#turns }, isEmptier);
  }

  #isAllowed(bin: Bin, fields: Fields): boolean {
    if (this.#app.constraints.length === 0) return true;
    const broken = this.rules.filter((rule) => !allows(rule, fields));
    if (broken.length === 0) return true;
    if (!broken.every(mayAllowLater)) {
      this.#broken.push(bin);
      return false;
    }
    const even = this.rules.filter(mayAllowLater);
    const key = JSON.stringify(even.map(({ constraint: [field] }) => readField(fields, field)));
    const held = this.#held.get(key) ?? { fields, bins: [] };
    this.#held.set(key, held);
    held.bins.push(bin);
    return false;
  }

  /** @returns a held bin that the constraints allow by now */
  #takeReleased(): Bin | undefined {
    for (const [key, { fields, bins }] of this.#held) {
      if (!this.rules.every((rule) => !mayAllowLater(rule) || allows(rule, fields))) continue;
      const bin = bins.shift();
      if (bins.length === 0) this.#held.delete(key);
      return bin;
    }
    return undefined;
  }

  /** @returns the bin with the most free CPUs among the agents without tasks of the app */
  #takeFresh(): Bin | undefined {
    for (let bin = this.#shelf.take(); bin; bin = this.#shelf.take()) {
      const agentId = bin.offer.agent_id.value;
      if (!this.#record.perAgent.has(agentId)) return bin;
      if (this.#isTaken(agentId)) this.#excluded.push(bin);
      else this.#markUsed(bin);
    }
    return undefined;
  }

  /** True if a daemon already has a task of this definition on the agent. */
  #isTaken(agentId: string): boolean {
    const { mode, configVersion } = this.#app;
    if (mode !== 'daemon') return false;
    this.#taken ??= new Set(
      [...this.#record.tasks.values()]
        .filter((task) => isCounted(task) && task.configVersion === configVersion)
        .map((task) => task.agentId),
    );
    return this.#taken.has(agentId);
  }
}

function isEmptier(a: Counted, b: Counted): boolean {
  return a.count < b.count || (a.count === b.count && a.turn < b.turn);
}
