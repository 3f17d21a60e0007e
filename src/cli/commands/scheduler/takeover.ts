import { Args, Flags } from '@oclif/core';
import { httpSend } from '../../../context/edge/http-send.ts';
import { UsageError } from '../../../errors/mesosup-error.ts';
import { defaultSettings } from '../../../scheduler/backup/contents.ts';
import { type Place, readAddress, showPlace } from '../../../scheduler/backup/place.ts';
import { mastersFrom } from '../../../scheduler/flags/options.ts';
import { readAccess, readPrincipal } from '../../../scheduler/import/credentials.ts';
import { describeRemarks } from '../../../scheduler/import/report.ts';
import { openDetection } from '../../../scheduler/masters.ts';
import type { FrameworkFacts } from '../../../scheduler/takeover/framework.ts';
import { releaseLatch } from '../../../scheduler/takeover/latch.ts';
import { planTakeover, type TakeoverPlan } from '../../../scheduler/takeover/plan.ts';
import type { Reading } from '../../../scheduler/takeover/reading.ts';
import { describeLeftOut, describeTakeover } from '../../../scheduler/takeover/report.ts';
import { endInterrupted, type Planned, runTakeover } from '../../../scheduler/takeover/run.ts';
import {
  type Master,
  masterTransport,
  readMarathonState,
  readMasterState,
  TakeoverError,
} from '../../../scheduler/takeover/sources.ts';
import { count } from '../../../text/count.ts';
import { BaseCommand } from '../../base-command.ts';
import { confirm } from '../../confirm.ts';
import { placeFlags, placeFrom } from '../../flags/place-flags.ts';
import { marathonAt } from '../../marathon.ts';

interface Takeover extends TakeoverPlan {
  /** False with `--dry-run`, or when something prevented the takeover. */
  readonly takenOver: boolean;
  /** The store that holds the state of the framework now. */
  readonly to?: string;
}

interface Released {
  /** False if no takeover kept the leadership. */
  readonly released: boolean;
}

interface Consent {
  readonly leave: boolean;
  readonly 'leave-out': boolean;
}

export default class SchedulerTakeover extends BaseCommand {
  static override summary = 'Take over the framework and the running tasks of a live Marathon.';
  static override description =
    "Reads apps, tasks and the framework from the Marathon at URL and from its Mesos master, shows what would differ, and asks before it continues. Then it waits until you have stopped Marathon, and writes the state into the store of a scheduler that is not running. When you start that scheduler, it subscribes with Marathon's framework id. No task restarts: tasks that Marathon launched are instances of their apps until a deployment replaces them. Nothing is changed before Marathon has stopped, so an interrupted command can be run again. Exits with 1 when the takeover is refused.";
  static override examples = [
    '<%= config.bin %> scheduler takeover http://marathon.example:8080 --dry-run',
    '<%= config.bin %> scheduler takeover http://marathon.example:8080 --data-dir /var/lib/mesosup/scheduler',
    '<%= config.bin %> scheduler takeover http://marathon.example:8080 --master zk://zk1:2181/mesos --leave --yes --json',
  ];
  static override enableJsonFlag = true;
  static override args = {
    url: Args.string({ name: 'URL', description: 'The URL of Marathon.', required: true }),
  };
  static override flags = {
    ...placeFlags,
    'dry-run': Flags.boolean({
      default: false,
      summary: 'Show what would be taken over, and change nothing.',
    }),
    yes: Flags.boolean({ char: 'y', default: false, summary: 'Do not ask.' }),
    leave: Flags.boolean({
      default: false,
      summary:
        'Leave out apps that can not be taken over, pods and unknown tasks: their tasks keep running and are never killed.',
    }),
    'leave-out': Flags.boolean({
      default: false,
      summary: 'Take apps over without the fields that are not supported.',
    }),
    wait: Flags.integer({
      default: 600,
      min: 0,
      summary: 'How long to wait until Marathon is stopped. Default: 600.',
      helpValue: 'SECONDS',
    }),
    'marathon-zk': Flags.string({
      summary:
        "ZooKeeper address of Marathon, like its --zk: joins Marathon's election, asks its leader to abdicate, and keeps the leadership, so that a Marathon that is started again can not take the framework back.",
      helpValue: 'ADDRESS|file:///PATH',
    }),
    release: Flags.boolean({
      summary: "Only give up the leadership that a takeover keeps in Marathon's election.",
      dependsOn: ['marathon-zk'],
    }),
    master: Flags.string({
      summary: "The Mesos masters, like the scheduler's --master. Default: those of Marathon.",
      helpValue: 'MASTERS|file:///PATH',
    }),
    'master-credentials-file': Flags.string({
      summary: 'File with PRINCIPAL:SECRET for the Mesos masters.',
      helpValue: 'PATH',
    }),
    'credentials-file': Flags.string({
      summary: "File with USER:PASSWORD for Marathon's API.",
      helpValue: 'PATH',
      exclusive: ['token-file'],
    }),
    'token-file': Flags.string({ summary: "File with a token for Marathon's API.", helpValue: 'PATH' }),
    'ca-file': Flags.string({
      summary:
        "File of CA certificates in PEM for the certificates of Marathon and of masters with --mesos-ssl. Default: the system's.",
      helpValue: 'PATH',
    }),
    'mesos-ssl': Flags.boolean({ summary: 'Use TLS for the Mesos masters.' }),
    'cert-file': Flags.string({
      summary: 'Certificate in PEM for masters that need one of their clients.',
      helpValue: 'PATH',
      dependsOn: ['mesos-ssl', 'key-file'],
    }),
    'key-file': Flags.string({ summary: 'Its key.', helpValue: 'PATH', dependsOn: ['cert-file'] }),
  };

  async run(): Promise<Takeover | Released> {
    const { args, flags } = await this.parse(SchedulerTakeover);
    const { url, authorization, ca } = readAccess({ ...flags, url: args.url });
    const place = placeFrom(flags);
    const masterFile = flags['master-credentials-file'];
    const credential =
      masterFile === undefined ? undefined : readPrincipal('master-credentials-file', masterFile);
    const zk = flags['marathon-zk'];
    const election = zk === undefined ? undefined : readAddress('marathon-zk', zk);
    if (flags.release && election) return this.#tellReleased(await releaseLatch(election));
    const marathon = marathonAt(url, authorization, httpSend(ca));
    if (election) await endInterrupted(election, place, marathon, (line) => this.logToStderr(line));
    this.progress(`reading Marathon at ${url}`);
    const reading = await readMarathonState(marathon);
    const detection = await openDetection(
      mastersFrom(flags.master ?? mastersOf(reading)),
      { debug: () => {}, warn: (message: unknown) => this.progress(String(message)) },
      () => {},
    );
    try {
      const transport = flags['mesos-ssl'] ? masterTransport(flags) : undefined;
      const master: Master = {
        detect: () => detection.detect(),
        ...(credential && { credential }),
        ...(transport && { transport }),
      };
      const facts = await readMasterState(master, reading.frameworkId);
      const { plan } = planTakeover(reading, facts, defaultSettings(), Date.now());
      for (const line of describeTakeover(plan)) this.log(line);
      this.#report(plan, flags);
      const problem = refusalOf(plan, flags);
      if (problem !== undefined || flags['dry-run']) {
        if (problem !== undefined) process.exitCode = 1;
        this.log('Nothing was changed.');
        return { takenOver: false, ...plan };
      }
      const asks = process.stdin.isTTY && process.stdout.isTTY && !this.jsonEnabled();
      const message = `Take over framework ${plan.framework.id} into ${showPlace(place)} once Marathon is stopped?`;
      if (!flags.yes && !(await confirm(message, { asks }))) {
        this.log('Nothing was changed.');
        return { takenOver: false, ...plan };
      }
      const done = await runTakeover({
        ...{ marathon, master, place, first: reading, election },
        waitMs: flags.wait * 1000,
        plan: (latest, found) => planFinally(latest, found, flags),
        onProgress: (line) => this.logToStderr(line),
      });
      this.#tell(done.plan, place, election !== undefined);
      return { takenOver: true, to: showPlace(place), ...done.plan };
    } finally {
      await detection.stop();
    }
  }

  #tellReleased(released: boolean): Released {
    this.log(
      released
        ? 'Marathon can lead again. Stop this scheduler before Marathon starts: both have the same framework.'
        : 'No takeover keeps the leadership. Nothing was changed.',
    );
    return { released };
  }

  #tell({ apps, framework, flags }: TakeoverPlan, place: Place, isHeld: boolean): void {
    const tasks = apps.reduce((sum, app) => sum + app.tasks, 0);
    this.log(
      `${showPlace(place)} now holds ${count(apps.length, 'app')} and ${count(tasks, 'task')} of framework ${framework.id}.`,
    );
    this.log(`Start the scheduler now${flags.length === 0 ? '' : `, with ${flags.join(' and ')}`}.`);
    this.log(
      isHeld
        ? 'Marathon can not lead again until you run this command with --release.'
        : 'Do not start Marathon again: it would take the framework back.',
    );
  }

  #report(plan: TakeoverPlan, flags: Consent): void {
    const { problems, unsupported, warnings, leftOut, flags: needed } = plan;
    const say = (head: string, lines: readonly string[]): void => {
      if (lines.length === 0) return;
      this.logToStderr(head);
      for (const line of lines) this.logToStderr(line);
    };
    say('These problems prevent the takeover:', describeRemarks(problems));
    say(
      flags['leave-out']
        ? 'Not supported, so the next deployment of these apps leaves this out:'
        : 'Not supported. Add --leave-out to take over without this:',
      describeRemarks(unsupported),
    );
    say('Accepted, but without effect:', describeRemarks(warnings));
    say(
      flags.leave
        ? 'Left out; the tasks keep running:'
        : "Can't be taken over. Add --leave to leave this out and keep its tasks running:",
      describeLeftOut(leftOut),
    );
    if (needed.length > 0) this.logToStderr(`The scheduler must be started with ${needed.join(' and ')}.`);
  }
}

/** @returns why the takeover is refused */
function refusalOf({ problems, unsupported, leftOut }: TakeoverPlan, flags: Consent): string | undefined {
  if (problems.length > 0) return describeRemarks(problems).join(';');
  if (unsupported.length > 0 && !flags['leave-out']) return describeRemarks(unsupported).join(';');
  if (leftOut.length > 0 && !flags.leave) return describeLeftOut(leftOut).join(';');
  return undefined;
}

/** Plans with the last state of Marathon. @throws TakeoverError if that can't be taken over any more */
function planFinally(reading: Reading, facts: FrameworkFacts, flags: Consent): Planned {
  const final = planTakeover(reading, facts, defaultSettings(), Date.now());
  const problem = refusalOf(final.plan, flags);
  if (problem === undefined) return final;
  throw new TakeoverError(
    `Marathon has changed since the takeover was planned, and now can't be taken over:${problem}. Nothing was changed: start Marathon again, and run the command again`,
  );
}

function mastersOf({ masters, leadingMaster }: Reading): string {
  const url = leadingMaster === undefined ? null : URL.parse(leadingMaster);
  if (url) return url.host;
  if (masters !== undefined) return masters;
  throw new UsageError('Marathon does not show the address of its Mesos masters: set --master');
}
