import { Flags } from '@oclif/core';
import { completed, definitionFields } from '../../../apps/apply-plan.ts';
import {
  type CanaryChanges,
  canaryInstances,
  canaryProblem,
  changedCanary,
  newCanary,
  promoted,
} from '../../../apps/canary.ts';
import { canaryIdOf, canaryOf, sharedLabels } from '../../../apps/canary-labels.ts';
import { readDefinitions } from '../../../apps/edge/read-definitions.ts';
import { variable } from '../../../apps/run-flags.ts';
import { differenceLines } from '../../../apps/versions.ts';
import type { ApiClient } from '../../../client/api-client.ts';
import { UsageError } from '../../../errors/mesosup-error.ts';
import type { Json } from '../../../json.ts';
import type { AppJson } from '../../../scheduler/api/v2/app-schemas.ts';
import { count } from '../../../text/count.ts';
import { amountOf } from '../../amount-flag.ts';
import { ApiCommand } from '../../api-command.ts';
import { appArgument, appIdOf } from '../../app-argument.ts';
import { findCanary } from '../../canary-of-app.ts';
import { started, startedByCreation } from '../../change-app.ts';
import { deploy, watchDeployment } from '../../deploy.ts';
import { readFileArgument } from '../../file-argument.ts';
import { waitFlags } from '../../flags/wait-flags.ts';

const FIRST_SHARE = 10;

interface Options {
  readonly force: boolean;
  /** The share of the deployment that changes the rest. */
  readonly atOnce: number | undefined;
}

interface Wanted {
  readonly share: number | undefined;
  readonly instances: number | undefined;
  /** The definition of a file. */
  readonly file: Json | undefined;
  readonly changes: CanaryChanges;
}

type Deploy = (done: string, change: () => Promise<{ readonly deploymentId: string }>) => Promise<void>;

export default class AppCanary extends ApiCommand {
  static override summary = 'Run a new definition beside an app, for a share of its requests.';
  static override description =
    'Starts a second app APP-canary: the app with the given changes. When all its instances are ready, load balancers (mesosup lb) give it the share of the requests. If the canary already runs, changes its share or its definition. "mesosup app promote" makes its definition the app\'s, "mesosup app abort" ends it.';
  static override examples = [
    '<%= config.bin %> app canary web --share 10% --env MODE=new',
    '<%= config.bin %> app canary web --share 50%',
    '<%= config.bin %> app canary web -f app.json',
  ];
  static override args = { app: appArgument };
  static override flags = {
    share: Flags.string({
      summary: 'The share of the requests in percent, not of the instances. Default: 10%, or unchanged.',
      helpValue: 'N%',
    }),
    instances: Flags.integer({
      summary: "The canary's instances. Default: the share of those of the app, at least 1.",
      min: 1,
      helpValue: 'N',
    }),
    image: Flags.string({ summary: 'Another image.', helpValue: 'IMAGE' }),
    env: Flags.string({
      summary: 'A variable; without a value, that of your environment. May be repeated.',
      helpValue: 'NAME[=VALUE]',
      multiple: true,
      multipleNonGreedy: true,
    }),
    cmd: Flags.string({ summary: 'Another shell command.', helpValue: 'COMMAND' }),
    cpus: Flags.string({ summary: 'CPUs of an instance.', helpValue: 'N' }),
    mem: Flags.string({ summary: 'Memory of an instance in MiB.', helpValue: 'MIB' }),
    file: Flags.string({
      char: 'f',
      summary: 'File with the new definition of the app, or - for standard input.',
      helpValue: 'FILE|-',
    }),
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(AppCanary);
    const id = appIdOf(args.app);
    const wanted: Wanted = {
      share: flags.share === undefined ? undefined : shareOf(flags.share),
      instances: flags.instances,
      file: flags.file === undefined ? undefined : await definitionIn(flags.file, id),
      changes: {
        image: flags.image,
        cmd: flags.cmd,
        cpus: amountOf(flags.cpus, 'cpus'),
        mem: amountOf(flags.mem, 'mem'),
        env: Object.fromEntries((flags.env ?? []).map((text) => variable(text, process.env))),
      },
    };
    const { client } = await this.connect(flags);
    const { wait, force } = flags;
    const deployed: Deploy = (done, change) =>
      deploy(client, { wait, done, say: (text) => this.log(text) }, change);
    const { app } = await client.call('GET', '/v2/apps/{id}', { path: { id } });
    const problem = canaryProblem({ ...app });
    if (problem !== undefined)
      throw new UsageError(`${id} ${problem}: it can't have a canary`, {
        remedy: 'Change it with "mesosup app apply".',
      });
    // Without waiting, there is only one deployment.
    const atOnce = wait ? undefined : wanted.share;
    let before = await findCanary(client, id);
    // An earlier command may have been interrupted.
    if (before && wait && !force && (before.deployments ?? []).length > 0) {
      for (const one of before.deployments ?? []) await watchDeployment(client, one.id);
      before = await findCanary(client, id);
    }
    const share = wanted.share ?? (before ? canaryOf(before)?.share : FIRST_SHARE) ?? 0;
    const canary = before
      ? await this.#change(client, app, before, wanted, { force, atOnce }, deployed)
      : await this.#start(client, app, { ...wanted, share }, { force, atOnce: wait ? 0 : share }, deployed);
    const done = `${canary.id} gets ${share}% of the requests of ${id}`;
    if (canaryOf(canary)?.share === share) {
      if (wait || before) this.log(`${done}.`);
      return;
    }
    await deployed(done, async () =>
      started(
        await client.call('PATCH', '/v2/apps/{id}', {
          path: { id: canary.id },
          query: { force, ifVersion: canary.version },
          body: { labels: sharedLabels(canary, share) },
        }),
      ),
    );
  }

  async #start(
    client: ApiClient,
    app: AppJson,
    { share, instances, file, changes }: Wanted & { readonly share: number },
    { force, atOnce }: Options & { readonly atOnce: number },
    deployed: Deploy,
  ): Promise<AppJson> {
    const number = instances ?? canaryInstances(app.instances, share);
    const body = newCanary(app, file ? completed(file, { ...app }) : { ...app }, changes, {
      instances: number,
      share: atOnce,
    });
    const difference = differenceLines(definitionFields({ ...app }), promoted(app, { ...app, ...body }));
    for (const line of difference) this.log(line);
    await deployed(`Started ${body.id} with ${count(number, 'instance')}`, async () => {
      return startedByCreation(await client.call('POST', '/v2/apps', { query: { force }, body }));
    });
    return current(client, canaryIdOf(app.id));
  }

  /** Changes the definition, and adds instances before the share grows. */
  async #change(
    client: ApiClient,
    app: AppJson,
    canary: AppJson,
    { share = 0, instances, file, changes }: Wanted,
    { force, atOnce }: Options,
    deployed: Deploy,
  ): Promise<AppJson> {
    const { id, version } = canary;
    const needed = instances ?? Math.max(canary.instances, canaryInstances(app.instances, share));
    const body = {
      ...changedCanary(canary, file && completed(file, { ...app }), changes, atOnce),
      instances: needed,
    };
    const lines = differenceLines(definitionFields({ ...canary }), body);
    if (lines.length === 0) return canary;
    for (const line of lines) this.log(line);
    await deployed(`Changed ${id}`, async () =>
      started(
        await client.call('PUT', '/v2/apps/{id}', {
          path: { id },
          query: { force, partialUpdate: false, ifVersion: version },
          body,
        }),
      ),
    );
    return current(client, id);
  }
}

async function current(client: ApiClient, id: string): Promise<AppJson> {
  return (await client.call('GET', '/v2/apps/{id}', { path: { id } })).app;
}

function shareOf(text: string): number {
  const [, digits = ''] = /^(\d{1,3})%?$/.exec(text) ?? [];
  const share = Number(digits);
  if (digits !== '' && share <= 100) return share;
  throw new UsageError(`--share ${text}: expected a whole number of percent from 0 to 100, for example 10%`);
}

async function definitionIn(file: string, id: string): Promise<Json> {
  const read = async (name: string) => (await readFileArgument(name)).toString('utf8');
  const { apps } = await readDefinitions([file], { set: {}, environment: process.env }, read);
  const [app, ...others] = apps;
  if (app?.id === id && others.length === 0) return app;
  throw new UsageError(
    `--file ${file}: expected a definition of ${id} only, not of ${apps.map((one) => one.id).join(', ')}`,
  );
}
