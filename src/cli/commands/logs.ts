import { Args, Flags } from '@oclif/core';
import { LineFormat } from '../../apps/log-lines.ts';
import { chooseHosts } from '../../cluster/choose-hosts.ts';
import { EXIT } from '../../errors/mesosup-error.ts';
import { nameOf, SERVICE_NAMES, type ServiceName, unitsOf } from '../../install/logs/services.ts';
import { renderProblems } from '../../install/operations/reach.ts';
import { type HostLine, readLogs } from '../../install/operations/read-logs.ts';
import { BaseCommand } from '../base-command.ts';
import { withSession } from '../cluster-session.ts';
import { clusterOf, specFlags, splitNames } from '../flags/cluster-flags.ts';
import { connectFlags } from '../flags/connect-flags.ts';
import { lineFlags, patternOf, timeOf } from '../flags/log-flags.ts';

const TAIL = 50;
const FOLLOWED_TAIL = 10;
/** --file without -f, which means --follow here, as in other programs that show logs. */
const { char: _f, ...file } = specFlags.file;
const INTERRUPTED = 'Interrupted.';

export default class Logs extends BaseCommand {
  static override summary =
    "Show the logs of a cluster's services from all hosts, in the order of their times.";
  static override description =
    'Each line has its time, host and service. With --follow, new lines are shown until Ctrl-C; a host that is lost is tried again, and its lines from in between are shown then. Times are those of the clocks of the hosts. Exits with 1 if the log of a host could not be read.';
  static override examples = [
    '<%= config.bin %> logs',
    '<%= config.bin %> logs h1 --service master,scheduler --follow',
    '<%= config.bin %> logs --since 1h --grep "error|warning"',
  ];
  static override strict = false;
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
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Logs);
    const { follow } = flags;
    const pattern = patternOf(flags.grep);
    const since = sinceOf(flags.since);
    const loaded = await clusterOf(flags);
    const names = (argv as string[]).flatMap(splitNames);
    const hosts = chooseHosts(loaded.cluster, { names: names.length > 0 ? names : undefined });
    const { stdout } = process;
    const format = new LineFormat({
      colour: stdout.isTTY && stdout.hasColors(),
      prefix: true,
      terminal: true,
    });
    const show = (lines: readonly HostLine[]) => {
      const shown = lines.filter(({ text }) => pattern?.test(text) ?? true);
      stdout.write(shown.map((line) => `${lineOf(line, format)}\n`).join(''));
    };
    const problems = await withSession(
      this,
      loaded,
      flags,
      ({ session, screen, signal }) =>
        readLogs(session, {
          hosts: hosts.map(({ name }) => name),
          services: unitsOf(flags.service ?? (SERVICE_NAMES as readonly ServiceName[])),
          tail: flags.tail ?? (since !== undefined ? undefined : follow ? FOLLOWED_TAIL : TAIL),
          since,
          follow,
          signal,
          onLines: show,
          onNote: (text) => screen.note(text),
        }),
      INTERRUPTED,
    );
    if (problems.length > 0) {
      this.logToStderr(renderProblems(problems));
      process.exitCode = EXIT.failed;
    }
  }
}

function lineOf({ at, host, service, text }: HostLine, format: LineFormat): string {
  const time = at === undefined ? '' : `${new Date(at / 1000).toISOString()} `;
  return time + format.format({ task: `${host} ${nameOf(service)}`, stream: 'stdout', text });
}

/** A duration counts back from the host's own time. @returns in seconds; negative for a duration */
function sinceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const now = Date.now();
  const time = timeOf(text, now);
  return text.includes('T') ? Math.floor(time / 1000) : Math.floor((time - now) / 1000);
}
