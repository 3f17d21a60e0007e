/**
 * The demo's supervisor, a process of its own: keeps master, agents and scheduler running, and takes everything
 * away at the end. Its first line of input is the order; the end of its input, SIGTERM or SIGINT is the end of
 * the demo, unless the order says to stay up, when only the signals are.
 */
import { createInterface } from 'node:readline';
import { cleanUp } from './clean-up.ts';
import type { DemoPlan } from './demo-plan.ts';
import { type DemoState, identifySelf, writeState } from './directory.ts';
import { Supervisor } from './supervisor.ts';

/** What `mesosup demo` writes to the supervisor's input, as one line of JSON. */
export interface SupervisorOrder {
  plan: DemoPlan;
  state: DemoState;
  /** Stay up when the input ends. */
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
    await cleanUp(plan.dir, state);
    process.exit(0);
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  if (!detach) lines.once('close', end);
  supervisor.start();
}
