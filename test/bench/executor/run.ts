/** One executor of the built checkout, subscribed to an agent of this program. */

import path from 'node:path';
import { ExecutorProcess } from '../../e2e/support/executor-process.ts';
import { ScriptedAgent } from '../../e2e/support/scripted-agent.ts';

export const DIST = path.resolve(import.meta.dirname, '../../../dist');
/** The label of the measured containers. */
export const CLUSTER = `bench-${process.pid}`;

export class Run {
  readonly agent: ScriptedAgent;
  readonly executor: ExecutorProcess;

  private constructor(agent: ScriptedAgent, executor: ExecutorProcess) {
    this.agent = agent;
    this.executor = executor;
  }

  static async start(): Promise<Run> {
    const agent = await ScriptedAgent.start();
    agent.cluster = CLUSTER;
    const executor = await ExecutorProcess.start({ dist: DIST, agent });
    await agent.subscription(1);
    return new Run(agent, executor);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.executor.end();
    await this.agent.stop();
  }
}
