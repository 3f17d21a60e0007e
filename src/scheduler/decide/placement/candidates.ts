import type { App } from '../../domain/app.ts';
import { popHeap, pushHeap } from '../../domain/heap.ts';
import type { AppRecord } from '../../domain/state.ts';
import { isCounted } from '../../domain/task.ts';
import { type Bin, type Fit, tryFit } from './bin.ts';
import { addTo, allows, canComeBack, type Rule, rulesOf } from './constraints.ts';
import { type Fields, fieldIn, fieldsOf } from './fields.ts';
import type { Shelf } from './shelf.ts';

interface Counted {
  readonly bin: Bin;
  /** How many of the app's tasks the agent has. */
  readonly count: number;
  /** Earlier ones first, among equals. */
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
 * The agents for an app's tasks, one after the other: those that have the fewest of them, and of these the roomiest.
 * What the app looked at and left is given back at the end, for other apps.
 */
export class Candidates {
  readonly #shelf: Shelf;
  readonly #record: AppRecord;
  readonly #app: App;
  #rules: readonly Rule[] | undefined;
  #taken: ReadonlySet<string> | undefined;
  #turns = 0;
  /** For an app whose tasks keep failing another each time: a stranger on the agent may hold the port that they got. */
  readonly #turn: number;
  /** Tasks about to be launched, by agent. */
  readonly #ours = new Map<string, number>();
  /** Agents that have some of the app's tasks already. */
  readonly #aside: Counted[] = [];
  /** Those that must wait until others have caught up, by the values that must be even. */
  readonly #held = new Map<string, Held>();
  /** Those that are of no more use to this app. */
  readonly #out: Bin[] = [];
  readonly #broken: Bin[] = [];
  /** Bins looked at so far that did not do. */
  tries = 0;

  constructor(shelf: Shelf, record: AppRecord, app: App) {
    this.#shelf = shelf;
    this.#record = record;
    this.#app = app;
    this.#turn = record.delay ? record.launches : 0;
  }

  /** The constraints, with what has been placed so far; the counts are copied only where they are needed. */
  get rules(): readonly Rule[] {
    this.#rules ??= rulesOf(this.#record, this.#app);
    return this.#rules;
  }

  next(): Candidate | undefined {
    for (;;) {
      const bin = this.#released() ?? this.#fresh() ?? popHeap(this.#aside, isEmptier)?.bin;
      if (!bin) return undefined;
      const fit = tryFit(bin, this.#shelf.want, this.#turn);
      if (typeof fit === 'string') {
        this.tries += 1;
        this.#shelf.fail(bin, fit);
        continue;
      }
      const fields = this.#app.constraints.length > 0 ? fieldsOf(this.#app, bin.offer) : NO_FIELDS;
      if (this.#isAllowed(bin, fields)) return { bin, fit, fields };
      this.tries += 1;
    }
  }

  /** The task has been put into its bin. */
  placed({ bin, fields }: Candidate): void {
    if (this.#app.constraints.length > 0) addTo(this.rules, fields);
    const agentId = bin.offer.agent_id.value;
    this.#ours.set(agentId, (this.#ours.get(agentId) ?? 0) + 1);
    if (this.#app.mode === 'daemon') this.#out.push(bin);
    else if (!this.#shelf.isFull(bin)) this.#setAside(bin);
  }

  /** @returns the bins that broke a constraint */
  close(): readonly Bin[] {
    const held = [...this.#held.values()].flatMap(({ bins }) => bins);
    const broken = [...this.#broken, ...held];
    for (const { bin } of this.#aside) this.#shelf.giveBack(bin);
    for (const bin of [...this.#out, ...broken]) this.#shelf.giveBack(bin);
    return broken;
  }

  #setAside(bin: Bin): void {
    const agentId = bin.offer.agent_id.value;
    const before = this.#record.perAgent.get(agentId) ?? 0;
    const count = before + (this.#ours.get(agentId) ?? 0);
    this.#turns += 1;
    pushHeap(this.#aside, { bin, count, turn: this.#turns }, isEmptier);
  }

  #isAllowed(bin: Bin, fields: Fields): boolean {
    if (this.#app.constraints.length === 0) return true;
    const broken = this.rules.filter((rule) => !allows(rule, fields));
    if (broken.length === 0) return true;
    if (!broken.every(canComeBack)) {
      this.#broken.push(bin);
      return false;
    }
    const even = this.rules.filter(canComeBack);
    const key = JSON.stringify(even.map(({ constraint: [field] }) => fieldIn(fields, field)));
    const held = this.#held.get(key) ?? { fields, bins: [] };
    this.#held.set(key, held);
    held.bins.push(bin);
    return false;
  }

  /** One of those that were held, if its turn has come. */
  #released(): Bin | undefined {
    for (const [key, { fields, bins }] of this.#held) {
      if (!this.rules.every((rule) => !canComeBack(rule) || allows(rule, fields))) continue;
      const bin = bins.shift();
      if (bins.length === 0) this.#held.delete(key);
      return bin;
    }
    return undefined;
  }

  /** The roomiest of the agents that have none of the app's tasks. */
  #fresh(): Bin | undefined {
    for (let bin = this.#shelf.take(); bin; bin = this.#shelf.take()) {
      const agentId = bin.offer.agent_id.value;
      if (!this.#record.perAgent.has(agentId)) return bin;
      if (this.#isTaken(agentId)) this.#out.push(bin);
      else this.#setAside(bin);
    }
    return undefined;
  }

  /** Whether a daemon has its task of this definition there already. */
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
