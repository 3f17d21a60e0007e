/** A command that changes hosts, from its flags to its report. */

import type { Command } from '@oclif/core';
import type { LoadedCluster } from '../cluster/edge/load.ts';
import { changesIn } from '../install/drift.ts';
import { type ChangeResult, change } from '../install/operations/change-cluster.ts';
import type { Intent, Prepared } from '../install/operations/prepare.ts';
import type { Screen } from '../install/operations/screen.ts';
import type { Session } from '../install/operations/session.ts';
import type { Plan } from '../install/plan.ts';
import { count } from '../text/count.ts';
import { type ChangeReport, report } from './change-report.ts';
import { interruption, programOf, screenFor, withSession } from './cluster-session.ts';
import { confirmed } from './confirm.ts';
import type { ConnectFlags } from './flags/connect-flags.ts';

export interface RunChangeOptions {
  readonly intent: Intent;
  readonly saved?: Plan;
  readonly allowAgentReplace: boolean;
  /** How the person is asked; by the number of changes without it. */
  readonly confirm?: (session: Session, screen: Screen) => Promise<boolean>;
  /** After hosts were changed without trouble. */
  readonly afterwards?: (session: Session, result: ChangeResult) => Promise<void>;
}

export async function runChange(
  command: Pick<Command, 'jsonEnabled' | 'log' | 'config'>,
  loaded: LoadedCluster,
  flags: ConnectFlags & { readonly yes: boolean; readonly timeout?: number | undefined },
  options: RunChangeOptions,
): Promise<ChangeReport> {
  const screen = screenFor(command.jsonEnabled(), flags);
  const signal = interruption();
  const say = (text: string) => command.log(text);
  const { intent, saved, allowAgentReplace } = options;
  const program = programOf(command.config);
  return withSession(program, loaded, flags, screen, signal, async (session) => {
    const confirm = ({ plan }: Prepared) => {
      if (flags.yes) return Promise.resolve(true);
      if (options.confirm) return options.confirm(session, screen);
      const touched = plan.hosts.filter(({ items }) => items.length > 0).length;
      return confirmed(`Make ${count(changesIn(plan), 'change')} on ${count(touched, 'host')}?`, screen);
    };
    const result = await change(session, program, {
      intent,
      ...(saved && { saved }),
      confirm,
      allowAgentReplace,
      patience: flags.timeout,
      signal,
      say,
      colour: process.stdout.hasColors?.() ?? false,
    });
    const { troubles, leftOut, declined } = result;
    if (!declined && troubles.length === 0 && leftOut.length === 0)
      await options.afterwards?.(session, result);
    return report(session, result, say);
  });
}
