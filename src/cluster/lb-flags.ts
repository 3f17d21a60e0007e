/** Checks and reads `lbFlags`: the flags of the load balancer that a spec may set. */

import { parseHostPort } from '../lb/address.ts';
import { LB_FLAGS, type LbFlag, type LbOptions, type LbValues, readOptions } from '../lb/options.ts';
import { didYouMean } from '../text/suggest.ts';
import { type Complaint, expected } from './spec-errors.ts';

/** Flags that a spec can't set, with the reason. */
const REFUSED: Partial<Record<LbFlag, string>> = {
  url: 'mesosup sets it to the hosts with the role "scheduler"',
  'data-dir': 'mesosup sets it, and the service can write to no other directory',
  haproxy: "mesosup installs the distribution's haproxy",
  'haproxy-user': 'haproxy runs as the user of the service',
};

const FILES: readonly LbFlag[] = ['credentials-file', 'token-file', 'ca-file'];

type Flags = Readonly<Record<string, string>>;

/** Returns all problems of the flags; paths begin with a flag's name. */
export function checkLbFlags(flags: Flags): Complaint[] {
  return Object.entries(flags).flatMap(([name, value]): Complaint[] => {
    const key = (message: string) => [{ path: [name], key: true, message }];
    if (!isLbFlag(name)) return key(`unknown flag${didYouMean(name, Object.keys(LB_FLAGS))}`);
    const refused = REFUSED[name];
    if (refused !== undefined) return key(`can't be set here: ${refused}`);
    const noun = expectedValue(name, value);
    return noun === undefined ? [] : [{ path: [name], message: expected(noun, value) }];
  });
}

/** Returns the settings with every default. @throws UsageError for flags that `checkLbFlags` refuses */
export function lbOptions(flags: Flags = {}): LbOptions {
  return readOptions(valuesOf(flags));
}

/** Returns the ports on which the load balancer listens besides service ports, by the flag that sets them. */
export function lbPorts(flags: Flags | undefined): Record<string, number> {
  const { httpPort, httpsPort, stats, metrics } = lbOptions(flags);
  return {
    'http-port': httpPort,
    'https-port': httpsPort,
    stats: parseHostPort(stats)?.port ?? 0,
    metrics: metrics.port,
  };
}

function isLbFlag(name: string): name is LbFlag {
  return Object.hasOwn(LB_FLAGS, name);
}

/** Undefined when the value is valid. */
function expectedValue(name: LbFlag, value: string): string | undefined {
  const flag = LB_FLAGS[name];
  if (!('value' in flag)) return value === '' ? undefined : 'an empty value (it is a switch)';
  if (value === '') return `a value (${flag.value})`;
  if (FILES.includes(name) && !value.startsWith('/')) return 'the absolute path of a file on the hosts';
  try {
    readOptions(valuesOf({ [name]: value }));
    return undefined;
  } catch (error) {
    return /: expected (.*)$/s.exec((error as Error).message)?.[1] ?? (error as Error).message;
  }
}

function valuesOf(flags: Flags): LbValues {
  return Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [
      name,
      isLbFlag(name) && !('value' in LB_FLAGS[name]) ? true : value,
    ]),
  );
}
