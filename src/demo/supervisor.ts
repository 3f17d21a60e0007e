import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import path from 'node:path';
import { type DemoPlan, MARK, type Program } from './demo-plan.ts';

const FIRST_DELAY_MS = 50;
const LAST_DELAY_MS = 5000;
/** A program that ran for this long is restarted after the shortest delay. */
const STEADY_MS = 5000;

/** Keeps the programs of a plan running. */
export class Supervisor {
  readonly #plan: DemoPlan;
  readonly #onStart: (processes: Record<string, number>) => void;
  readonly #children = new Map<string, ChildProcess>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  /** @param onStart called with the pids of all programs after each start */
  constructor(plan: DemoPlan, onStart: (processes: Record<string, number>) => void) {
    this.#plan = plan;
    this.#onStart = onStart;
  }

  start(): void {
    mkdirSync(path.join(this.#plan.dir, 'logs'), { mode: 0o700 });
    for (const program of this.#plan.programs) this.#run(program, FIRST_DELAY_MS);
    this.#reportPids();
  }

  /** Stops starting programs. The clean-up ends running programs. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #run(program: Program, delay: number): void {
    const log = openSync(path.join(this.#plan.dir, 'logs', `${program.name}.log`), 'a', 0o600);
    const child = spawn(process.execPath, program.args, {
      cwd: this.#plan.dir,
      env: { ...process.env, [MARK]: this.#plan.dir },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#children.set(program.name, child);
    const begun = Date.now();
    child.once('exit', () => {
      if (this.#stopped) return;
      const wait = Date.now() - begun >= STEADY_MS ? FIRST_DELAY_MS : delay;
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        this.#run(program, Math.min(wait * 2, LAST_DELAY_MS));
        this.#reportPids();
      }, wait);
      this.#timers.add(timer);
    });
  }

  #reportPids(): void {
    this.#onStart(Object.fromEntries([...this.#children].map(([name, child]) => [name, child.pid ?? 0])));
  }
}
