/** Checks `schedulerFlags` as far as possible without a host: names, and values that are not file names. */

import { FLAG_NAMES, type FlagName, flagOf, isFlagName } from '../scheduler/flags/flag-table.ts';
import { unsupportedFlagReason } from '../scheduler/flags/unknown-flags.ts';
import { didYouMean } from '../text/suggest.ts';
import { type Complaint, expected } from './spec-errors.ts';

/** Flags that mesosup sets itself. In a spec, an empty value omits the flag. */
export const OWN_FLAGS = [
  'master',
  'data_dir',
  'zk',
  'cluster',
  'http_address',
  'http_port',
  'http_credentials_file',
  'hostname',
  'mesos_authentication_principal',
  'mesos_authentication_secret_file',
  'agent_credential_file',
] as const satisfies readonly FlagName[];

export type OwnFlag = (typeof OWN_FLAGS)[number];

export function isOwnFlag(name: string): name is OwnFlag {
  return OWN_FLAGS.some((own) => own === name);
}

/** Flags that would break the cluster, with the reason. */
const REFUSED: Partial<Record<FlagName, string>> = {
  master: 'mesosup sets it to the hosts with the role "master"',
  http_port: 'mesosup sets it: use ports.scheduler instead',
  disable_http: 'mesosup and the other schedulers reach this one over HTTP',
  check: 'the scheduler would exit instead of starting',
  help: 'the scheduler would exit instead of starting',
};

/** Flags that a spec may omit, but not set to another value, with the reason. */
const FIXED: Partial<Record<FlagName, string>> = {
  zk: 'mesosup sets it to the hosts with the role "zookeeper"',
  data_dir: 'mesosup sets it, and the service can write to no other directory',
  hostname: "mesosup sets it on each host: use the host's own key hostname instead",
  http_credentials_file: 'mesosup sets it, and uses the credentials in it',
  mesos_authentication_principal: 'mesosup sets it to the principal that the masters know',
  mesos_authentication_secret_file: 'mesosup sets it to the secret that the masters know',
  agent_credential_file: 'mesosup sets it to the credentials that the agents know',
};

/** Returns all problems of the flags; paths begin with a flag's name. */
export function checkSchedulerFlags(flags: Readonly<Record<string, string>>): Complaint[] {
  return Object.entries(flags).flatMap(([name, value]) => {
    const key = (message: string): Complaint[] => [{ path: [name], key: true, message }];
    if (!isFlagName(name)) return key(unknown(name));
    const refused = REFUSED[name] ?? (value === '' ? undefined : FIXED[name]);
    if (refused !== undefined) return key(`can't be set here: ${refused}`);
    if (value === '' && isOwnFlag(name)) return [];
    const noun = expectedValue(name, value);
    return noun === undefined ? [] : [{ path: [name], message: expected(noun, value) }];
  });
}

function unknown(name: string): string {
  const reason = unsupportedFlagReason(name);
  if (reason !== undefined) return `is a flag of Marathon that this scheduler doesn't have: ${reason}`;
  return `unknown flag${didYouMean(name, FLAG_NAMES)}`;
}

/** Undefined when the value is valid. */
function expectedValue(name: FlagName, value: string): string | undefined {
  const { value: noun, form } = flagOf(name);
  if (noun === undefined) return value === '' ? undefined : 'an empty value (it is a switch)';
  if (form) return form.accepts(value) ? undefined : form.expected;
  return value === '' ? `a value (${noun})` : undefined;
}
