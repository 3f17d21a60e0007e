import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { parseMasters } from '../mesos/leader.ts';
import type { Credential } from '../mesos/scheduler-session.ts';
import type { FrameworkInfo } from '../mesos/types.ts';
import {
  fileOfFlag,
  isZooKeeperAddress,
  parseZooKeeperAddress,
  type ZooKeeperAddress,
} from '../zookeeper/address.ts';
import { sharedExecutorOf } from './domain/executor.ts';
import type { Settings } from './domain/settings.ts';
import { FlagError, type Flags, type Name } from './flags.ts';
import type { Masters } from './masters.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'];
const LONGEST_MS = 2 ** 31 - 1;
const MOST_IN_OFFER = 1_000_000;
const LONGEST_SECONDS = 10 * 365 * 86_400;

export interface DaemonOptions {
  masters: Masters;
  /** Where schedulers elect a leader and keep the state; without it, one scheduler alone has a journal. */
  zooKeeper?: ZooKeeperAddress;
  credential?: Credential;
  settings: Settings;
  dataDirectory: string;
  httpAddress: string;
  httpPort: number;
  /** `user:password` that requests must carry. */
  httpCredentials?: string;
  hostname: string;
  endpointsPortSuffix: boolean;
  loggingLevel: string;
}

/** @throws FlagError */
export function optionsFrom(flags: Flags): DaemonOptions {
  const localPortMin = flags.whole('local_port_min', 1, 65_535);
  const localPortMax = flags.whole('local_port_max', localPortMin, 65_535);
  const loggingLevel = flags.required('logging_level').toLowerCase();
  if (!LEVELS.includes(loggingLevel)) {
    throw new FlagError(`--logging_level is '${loggingLevel}': one of ${LEVELS.join(', ')} was expected`);
  }
  const role = flags.required('mesos_role');
  const cluster = flags.text('cluster') ?? flags.required('framework_name');
  const path = flags.required('docker_executor');
  const credential = credentialFrom(flags);
  const credentialsFile = flags.text('http_credentials_file');
  const zk = flags.text('zk');
  return {
    masters: mastersFrom(flags),
    ...(zk !== undefined && { zooKeeper: zooKeeperFrom('zk', fromFile('zk', zk)) }),
    ...(credential && { credential }),
    settings: {
      framework: frameworkFrom(flags, role),
      role,
      defaultExecutor: flags.required('executor'),
      dockerExecutor: sharedExecutorOf({ path, cluster, role }, sha256),
      localPortMin,
      localPortMax,
      declineOfferMs: flags.whole('decline_offer_duration', 0, LONGEST_MS),
      maxInstancesPerOffer: flags.whole('max_instances_per_offer', 1, MOST_IN_OFFER),
      reconciliationInitialDelayMs: flags.whole('reconciliation_initial_delay', 0, LONGEST_MS),
      reconciliationIntervalMs: flags.whole('reconciliation_interval', 1, LONGEST_MS),
      killRetryMs: flags.whole('kill_retry_timeout', 1, LONGEST_MS),
      taskLaunchTimeoutMs: flags.whole('task_launch_timeout', 1, LONGEST_MS),
    },
    dataDirectory: flags.required('data_dir'),
    httpAddress: flags.required('http_address'),
    httpPort: flags.whole('http_port', 0, 65_535),
    ...(credentialsFile !== undefined && { httpCredentials: httpCredentialsFrom(credentialsFile) }),
    hostname: flags.text('hostname') ?? hostname(),
    endpointsPortSuffix: flags.on('endpoints_port_suffix'),
    loggingLevel,
  };
}

function frameworkFrom(flags: Flags, role: string): FrameworkInfo {
  const principal = flags.text('mesos_authentication_principal');
  return {
    user: flags.required('mesos_user'),
    name: flags.required('framework_name'),
    failover_timeout: flags.whole('failover_timeout', 1, LONGEST_SECONDS),
    checkpoint: true,
    roles: [role],
    capabilities: [{ type: 'PARTITION_AWARE' }, { type: 'MULTI_ROLE' }, { type: 'TASK_KILLING_STATE' }],
    ...(principal !== undefined && { principal }),
  };
}

function mastersFrom(flags: Flags): Masters {
  const given = fromFile('master', flags.required('master'));
  if (isZooKeeperAddress(given)) return { zooKeeper: zooKeeperFrom('master', given) };
  try {
    return { list: parseMasters(given.replaceAll(/(^|,)\s*http:\/\/([^,/]+)\/?/g, '$1$2')) };
  } catch (error) {
    throw new FlagError(`--master: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The value, or what is in the file it names, which keeps a password out of the argument list. */
function fromFile(flag: Name, value: string): string {
  const file = fileOfFlag(value);
  return file === undefined ? value : secretFrom(flag, file).trim();
}

function zooKeeperFrom(flag: Name, text: string): ZooKeeperAddress {
  try {
    return parseZooKeeperAddress(text);
  } catch (error) {
    throw new FlagError(`--${flag}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function credentialFrom(flags: Flags): Credential | undefined {
  const file = flags.text('mesos_authentication_secret_file');
  if (file === undefined) return undefined;
  const principal = flags.text('mesos_authentication_principal');
  if (principal === undefined) {
    throw new FlagError(
      '--mesos_authentication_secret_file is given without --mesos_authentication_principal: name whose secret it is',
    );
  }
  return { principal, secret: secretFrom('mesos_authentication_secret_file', file) };
}

function httpCredentialsFrom(file: string): string {
  const credentials = secretFrom('http_credentials_file', file);
  if (credentials.includes(':')) return credentials;
  throw new FlagError(`--http_credentials_file: ${file} was expected to hold USER:PASSWORD`);
}

function secretFrom(flag: Name, file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new FlagError(`--${flag} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
