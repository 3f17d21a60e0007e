/**
 * The program of the demo's supervisor: keeps master, agents and scheduler running, and removes everything at the end.
 * Its first line of input is the order. SIGTERM and SIGINT end the demo; so does the end of its input, unless the order
 * has `detach`.
 */
import { createInterface } from 'node:readline';
import { keepCompiledCode } from '../proc/compiled-code.ts';
import type { DemoPlan } from './demo-plan.ts';
import { type DemoState, identifySelf, writeState } from './directory.ts';
import { Supervisor } from './supervisor.ts';

/** The supervisor's input from `mesosup demo`, one line of JSON. */
export interface SupervisorOrder {
  plan: DemoPlan;
  state: DemoState;
  /** Keep running when the input ends. */
  detach: boolean;
}

const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => void run(JSON.parse(line) as SupervisorOrder));

async function run({ plan, state, detach }: SupervisorOrder): Promise<void> {
  state.supervisor = identifySelf();
  let writing: Promise<void> = Promise.resolve();
  const supervisor = new Supervisor(plan, (processes) => {
    state.processes = processes;
    writing = writing.then(() => writeState(plan.dir, state));
  });
  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    supervisor.stop();
    await writing;
    // Loaded only now: the programs wait for the start of this one.
    const { cleanUp } = await import('./clean-up.ts');
    await cleanUp(plan.dir, state);
    process.exit(0);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  if (!detach) lines.once('close', end);
  supervisor.start();
  keepCompiledCode();
}
