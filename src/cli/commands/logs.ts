import { Args, Flags } from '@oclif/core';
import { LineFormat } from '../../apps/log-lines.ts';
import { chooseHosts } from '../../cluster/choose-hosts.ts';
import type { LoadedCluster } from '../../cluster/edge/load.ts';
import { EXIT, UsageError } from '../../errors/mesosup-error.ts';
import { readRun, readRuns, recordsDirectory } from '../../install/edge/run-records.ts';
import {
  isoOf,
  type RunSummary,
  runFrame,
  runsTable,
  summaryOf,
  textsOf,
} from '../../install/logs/render-run.ts';
import type { RunLine } from '../../install/logs/run-record.ts';
import { nameOf, SERVICE_NAMES, type ServiceName, unitsOf } from '../../install/logs/services.ts';
import { renderProblems } from '../../install/operations/reach.ts';
import { type HostLine, readLogs } from '../../install/operations/read-logs.ts';
import type { Problem } from '../../install/plan.ts';
import { BaseCommand } from '../base-command.ts';
import { withSession } from '../cluster-session.ts';
import { clusterOf, specFlags, splitNames } from '../flags/cluster-flags.ts';
import { type ConnectFlags, connectFlags } from '../flags/connect-flags.ts';
import { lineFlags, patternOf, timeOf } from '../flags/log-flags.ts';
import { terminalWidth } from '../flags/output-flag.ts';

const TAIL = 50;
const FOLLOWED_TAIL = 10;
/** --file without -f, which means --follow here, as in other programs that show logs. */
const { char: _f, ...file } = specFlags.file;
const INTERRUPTED = 'Interrupted.';
const OF_SERVICES = ['service', 'follow', 'tail', 'since'] as const;

/** A line in the output of `--json`. */
interface JsonLine {
  /** In ISO 8601; missing for Upstart's files, which have no times. */
  readonly at?: string;
  readonly host: string;
  /** Of a service. */
  readonly service?: string;
  /** Of a run. */
  readonly kind?: RunLine['kind'];
  readonly text: string;
  readonly remedy?: string | undefined;
}

type Report =
  | { readonly lines: readonly JsonLine[]; readonly problems: readonly Problem[] }
  | (RunSummary & { readonly lines: readonly JsonLine[] })
  | { readonly runs: readonly RunSummary[] };

interface ServiceFlags extends ConnectFlags {
  readonly service?: readonly ServiceName[] | undefined;
  readonly follow: boolean;
  readonly tail?: number | undefined;
  readonly since?: string | undefined;
}

export default class Logs extends BaseCommand {
  static override summary = 'Show the logs of services from all hosts in time order, or what a run did.';
  static override description =
    'Each line has its time, host and service. With --follow, new lines are shown until Ctrl-C; a host that is lost is tried again, and its lines from in between are shown then. Times are those of the clocks of the hosts. --run shows what a command that changed hosts did and said on each host; this machine keeps its last 20 runs. Exits with 1 if the log of a host could not be read.';
  static override examples = [
    '<%= config.bin %> logs',
    '<%= config.bin %> logs h1 --service master,scheduler --follow',
    '<%= config.bin %> logs --since 1h --grep "error|warning"',
    '<%= config.bin %> logs --runs',
    '<%= config.bin %> logs h2 --run last',
  ];
  static override strict = false;
  static override enableJsonFlag = true;
  static override args = {
    host: Args.string({ ignoreStdin: true, description: 'Only these hosts. Default: all.' }),
  };
  static override flags = {
    ...specFlags,
    file,
    ...connectFlags,
    service: Flags.option({
      options: SERVICE_NAMES,
      summary: 'Only these services. Default: all.',
      helpValue: 'SERVICE',
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
    })(),
    follow: Flags.boolean({ char: 'f', summary: 'Show new lines until Ctrl-C.' }),
    tail: Flags.integer({
      char: 'n',
      summary: `Only so many last lines of each host. Default: ${TAIL}, ${FOLLOWED_TAIL} with --follow, and all with --since.`,
      helpValue: 'N',
      min: 0,
    }),
    ...lineFlags,
    run: Flags.string({
      summary: 'Show what this run did and said: its id, or last.',
      helpValue: 'ID|last',
      exclusive: ['runs', ...OF_SERVICES],
      helpGroup: 'RUN',
    }),
    runs: Flags.boolean({
      summary: 'List the runs that are kept on this machine, the last one at the end.',
      exclusive: [...OF_SERVICES, 'grep'],
      helpGroup: 'RUN',
    }),
  };

  async run(): Promise<Report> {
    const { argv, flags } = await this.parse(Logs);
    const pattern = patternOf(flags.grep);
    const since = sinceOf(flags.since);
    if (this.jsonEnabled() && flags.follow)
      throw new UsageError('--json prints all lines at the end, so it needs a log that ends: omit --follow');
    const loaded = await clusterOf(flags);
    const records = recordsDirectory(loaded.state.directory);
    if (flags.runs) return this.#list(records, loaded.cluster.name);
    const names = (argv as string[]).flatMap(splitNames);
    if (flags.run !== undefined) return this.#showRun(records, flags.run, names, pattern);
    const hosts = chooseHosts(loaded.cluster, { names: names.length > 0 ? names : undefined });
    return this.#showServices(
      loaded,
      flags,
      hosts.map(({ name }) => name),
      since,
      pattern,
    );
  }

  async #list(records: string, cluster: string): Promise<Report> {
    const runs = await readRuns(records);
    const none = `No run of ${cluster} is kept on this machine.`;
    this.log(runs.length > 0 ? runsTable(runs, { width: terminalWidth(), wide: false }) : none);
    return { runs: runs.map(summaryOf) };
  }

  /** A host of the run may have left the cluster since. Lines of no host belong to each. */
  async #showRun(
    records: string,
    id: string,
    names: readonly string[],
    pattern: RegExp | undefined,
  ): Promise<Report> {
    const run = await readRun(records, id);
    const lines = run.lines.filter(
      ({ host, text }) =>
        (names.length === 0 || host === '' || names.includes(host)) && (pattern?.test(text) ?? true),
    );
    const { first, last } = runFrame(run);
    this.log(first);
    const format = lineFormat();
    for (const line of lines) {
      const start = `${isoOf(line.at)} `;
      for (const text of textsOf(line))
        this.log(start + format.format({ task: line.host || run.head.cluster, stream: 'stdout', text }));
    }
    this.log(last);
    return { ...summaryOf(run), lines: lines.map((line) => ({ ...line, at: isoOf(line.at) })) };
  }

  async #showServices(
    loaded: LoadedCluster,
    flags: ServiceFlags,
    hosts: readonly string[],
    since: number | undefined,
    pattern: RegExp | undefined,
  ): Promise<Report> {
    const { follow } = flags;
    const { stdout } = process;
    const format = lineFormat();
    const lines: JsonLine[] = [];
    const show = (all: readonly HostLine[]) => {
      const shown = all.filter(({ text }) => pattern?.test(text) ?? true);
      if (this.jsonEnabled()) lines.push(...shown.map(jsonOf));
      else stdout.write(shown.map((line) => `${lineOf(line, format)}\n`).join(''));
    };
    const problems = await withSession(
      this,
      loaded,
      flags,
      ({ session, signal }) =>
        readLogs(session, {
          hosts,
          services: unitsOf(flags.service ?? (SERVICE_NAMES as readonly ServiceName[])),
          tail: flags.tail ?? (since !== undefined ? undefined : follow ? FOLLOWED_TAIL : TAIL),
          since,
          follow,
          signal,
          onLines: show,
          onNote: (text) => session.screen.note(text),
        }),
      INTERRUPTED,
    );
    if (problems.length > 0) {
      this.logToStderr(renderProblems(problems));
      process.exitCode = EXIT.failed;
    }
    return { lines, problems };
  }
}

function lineFormat(): LineFormat {
  const { stdout } = process;
  return new LineFormat({ colour: stdout.isTTY && stdout.hasColors(), prefix: true, terminal: true });
}

function lineOf({ at, host, service, text }: HostLine, format: LineFormat): string {
  const time = at === undefined ? '' : `${isoOf(at / 1000)} `;
  return time + format.format({ task: `${host} ${nameOf(service)}`, stream: 'stdout', text });
}

function jsonOf({ at, host, service, text }: HostLine): JsonLine {
  return { ...(at !== undefined && { at: isoOf(at / 1000) }), host, service: nameOf(service), text };
}

/** A duration counts back from the host's own time. @returns in seconds; negative for a duration */
function sinceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const now = Date.now();
  const time = timeOf(text, now);
  return text.includes('T') ? Math.floor(time / 1000) : Math.floor((time - now) / 1000);
}
