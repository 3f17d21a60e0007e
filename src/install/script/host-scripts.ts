/** Assembles scripts for hosts from the files of `templates/host`. */

import { assignments, type ShellValue } from '../../hosts/quote.ts';
import { SYSTEM_PATH } from '../../hosts/root-environment.ts';
import * as places from './places.ts';

/** Paths of the files below `templates/host/`. */
export const HOST_SCRIPTS = [
  'adopt.sh',
  'apply/apt-errors.sh',
  'apply/apt-get.sh',
  'apply/apt-hook.sh',
  'apply/archives.sh',
  'apply/cluster.sh',
  'apply/drain.sh',
  'apply/edges.sh',
  'apply/escape.sed',
  'apply/events.sh',
  'apply/files.sh',
  'apply/journal.sh',
  'apply/packages.sh',
  'apply/run.sh',
  'apply/service-watch.sh',
  'apply/services.sh',
  'apply/tasks.sh',
  'apply/users.sh',
  'apt.sh',
  'ask-master.sh',
  'ask.sh',
  'bundle-packages.sh',
  'cluster-lock.sh',
  'copy-log.sh',
  'dpkg-lock.sh',
  'doctor/collect.sh',
  'doctor/examine.sh',
  'environment.sh',
  'login/after-login.sh',
  'login/as-root.sh',
  'login/as-user.sh',
  'login/become-plain.sh',
  'mesos-processes.sh',
  'package-files.sh',
  'parts.sh',
  'plain-executors.sh',
  'probe/asked.sh',
  'probe/health.sh',
  'probe/probe.sh',
  'probe/software.sh',
  'probe/system.sh',
  'run/attach.sh',
  'run/follow.sh',
  'run/start.sh',
  'scheduler-state.sh',
  'service-logs.sh',
  'simulate.sh',
  'upload.sh',
] as const;

export type ScriptName = (typeof HOST_SCRIPTS)[number];

/** The texts of all files. */
export type HostScripts = Readonly<Record<ScriptName, string>>;

const CONSTANTS: Readonly<Record<string, ShellValue>> = { SYSTEM_PATH, ...places };

/**
 * Assembles a script: shell variables with the constants that its parts read and with the values, the texts of the
 * parts, and the lines that call their functions.
 * @throws TypeError for a value that a shell variable can't contain
 */
export function assemble(
  scripts: HostScripts,
  parts: readonly ScriptName[],
  values: Readonly<Record<string, ShellValue>>,
  lines: readonly string[],
): string {
  const texts = parts.map((part) => scripts[part]);
  const read = new Set(
    texts.flatMap((text) => [...text.matchAll(/\$\{?([A-Z][A-Z_]*)/g)].map(([, name]) => name)),
  );
  const constants = Object.fromEntries(Object.entries(CONSTANTS).filter(([name]) => read.has(name)));
  return ['#!/bin/sh', ...assignments({ ...constants, ...values }), ...texts, ...lines, ''].join('\n');
}
