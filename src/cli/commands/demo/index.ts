import path from 'node:path';
import { Flags } from '@oclif/core';
import { Listr } from 'listr2';
import { endSupervisor, spawnSupervisor } from '../../../demo/cluster.ts';
import { demoDirectory } from '../../../demo/directory.ts';
import { DEFAULT_IMAGE } from '../../../demo/image.ts';
import { type DemoContext, type DemoResult, demoSteps } from '../../../demo/run.ts';
import { nextCommands, summarize, watch } from '../../../demo/show.ts';
import { DockerEngine } from '../../../docker/engine.ts';
import { EXIT } from '../../../errors/mesosup-error.ts';
import { BaseCommand } from '../../base-command.ts';

export default class Demo extends BaseCommand {
  static override summary = 'Run the Redis example of 2013 on a cluster on this machine.';
  static override description =
    'Starts a Mesos master, agents and the scheduler (the embedded Mesos: no packages needed), launches two Redis containers through Mesos, queries one of them with redis-cli from a third container, and shows a live table until Ctrl-C. Leaves nothing behind except the Docker image.';
  static override examples = [
    '<%= config.bin %> demo',
    '<%= config.bin %> demo --once',
    '<%= config.bin %> demo --detach',
  ];
  static override enableJsonFlag = true;
  static override flags = {
    agents: Flags.integer({ default: 2, min: 1, max: 20, summary: 'Number of Mesos agents.' }),
    image: Flags.string({
      default: DEFAULT_IMAGE,
      summary: `Redis image. ${DEFAULT_IMAGE} is built from the distribution's package; any other image is pulled.`,
    }),
    lb: Flags.boolean({
      default: false,
      summary: 'Run the load balancer too (needs haproxy): Redis answers at its service port.',
    }),
    once: Flags.boolean({ summary: 'Exit after the answer from Redis.', exclusive: ['detach'] }),
    detach: Flags.boolean({ summary: 'Exit, but keep the demo running until `mesosup demo down`.' }),
  };

  async run(): Promise<DemoResult | undefined> {
    const { flags } = await this.parse(Demo);
    const interrupt = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => interrupt.abort(new Error(`interrupted by ${signal}`)));
    }
    const dir = demoDirectory(process.getuid?.() ?? 0, process.env);
    const root = path.resolve(this.config.root, '..');
    const supervisor = spawnSupervisor(root, dir);
    let released = false;
    const context: DemoContext = {};
    try {
      const steps = demoSteps({
        ...flags,
        engine: new DockerEngine(),
        dir,
        root,
        supervisor,
        signal: interrupt.signal,
      });
      await new Listr(steps, {
        renderer: 'default',
        fallbackRenderer: 'simple',
        silentRendererCondition: this.jsonEnabled(),
        rendererOptions: { collapseSubtasks: false },
      }).run(context);
      const { cluster, result } = context;
      if (!cluster || !result) throw new Error('the demo ended without an answer');
      this.log(summarize(result));
      if (flags.detach) {
        cluster.release();
        released = true;
        delete context.cluster;
        this.log(
          `\n${nextCommands(cluster.plan, flags.image, result.endpoint)}\n\nEnd it with: ${this.config.bin} demo down`,
        );
      } else if (!flags.once) {
        await watch(cluster.plan, flags.image, result, process.stdout, interrupt.signal, cluster.ended);
        if (interrupt.signal.aborted) process.exitCode = EXIT.interrupted;
      }
      return result;
    } catch (error) {
      if (!interrupt.signal.aborted) throw error;
      process.exitCode = EXIT.interrupted;
      return undefined;
    } finally {
      if (context.cluster) {
        if (interrupt.signal.aborted) this.log('\nRemoving the demo …');
        await context.cluster.stop();
      } else if (!released) {
        await endSupervisor(supervisor);
      }
    }
  }
}
