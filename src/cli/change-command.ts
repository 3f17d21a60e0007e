/** Runs a command that changes hosts, from its flags to its report. */

import type { Command } from '@oclif/core';
import type { LoadedCluster } from '../cluster/edge/load.ts';
import { changesIn } from '../install/drift.ts';
import { type ChangeResult, change } from '../install/operations/change-cluster.ts';
import type { Intent, Prepared } from '../install/operations/prepare.ts';
import type { Screen } from '../install/operations/screen.ts';
import type { Session } from '../install/operations/session.ts';
import type { Plan } from '../install/plan.ts';
import { count } from '../text/count.ts';
import { type ChangeReport, reportChange } from './change-report.ts';
import { withSession } from './cluster-session.ts';
import { confirm } from './confirm.ts';
import type { ConnectFlags } from './flags/connect-flags.ts';
import { nextCommand } from './next-command.ts';

/** What a run needs of its command. */
export type RunningCommand = Pick<Command, 'jsonEnabled' | 'log' | 'config' | 'id' | 'argv'>;

export interface RunChangeOptions {
  readonly intent: Intent;
  readonly saved?: Plan;
  readonly allowAgentReplace: boolean;
  /** See `ChangeOptions.before`. */
  readonly before?: () => Promise<void>;
  /** Asks for confirmation. Default: a yes/no question that names the number of changes. */
  readonly confirm?: (session: Session, screen: Screen) => Promise<boolean>;
  /** Called when all hosts were changed without a failure. */
  readonly afterwards?: (session: Session, result: ChangeResult) => Promise<void>;
}

export type RunFlags = ConnectFlags & {
  readonly yes: boolean;
  readonly diff: boolean;
  readonly timeout?: number | undefined;
};

export async function runChange(
  command: RunningCommand,
  loaded: LoadedCluster,
  flags: RunFlags,
  options: RunChangeOptions,
): Promise<ChangeReport> {
  const say = (text: string) => command.log(text);
  const { intent, saved, allowAgentReplace } = options;
  const logsCommand = (run: string) => nextCommand(command.config.bin, `logs --run ${run}`, command.argv);
  return withSession(command, loaded, flags, async ({ session, program, screen, signal }) => {
    const confirmPlan = ({ plan }: Prepared) => {
      if (flags.yes) return Promise.resolve(true);
      if (options.confirm) return options.confirm(session, screen);
      const changedHostCount = plan.hosts.filter(({ items }) => items.length > 0).length;
      return confirm(
        `Make ${count(changesIn(plan), 'change')} on ${count(changedHostCount, 'host')}?`,
        screen,
      );
    };
    const result = await change(session, program, {
      intent,
      ...(saved && { saved }),
      confirm: confirmPlan,
      before: options.before,
      allowAgentReplace,
      diff: flags.diff,
      patience: flags.timeout,
      signal,
      say,
      colour: process.stdout.hasColors?.() ?? false,
      title: (command.id ?? intent.command).replaceAll(':', ' '),
      logsCommand,
    });
    const { troubles, leftOut, declined } = result;
    if (!declined && troubles.length === 0 && leftOut.length === 0)
      await options.afterwards?.(session, result);
    return reportChange(session, result, say, logsCommand);
  });
}
