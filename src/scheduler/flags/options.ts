import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { UsageError } from '../../errors/mesosup-error.ts';
import { parseJson } from '../../json.ts';
import { parseMasters } from '../../mesos/leader.ts';
import type { Credential } from '../../mesos/scheduler-session.ts';
import type { FrameworkInfo } from '../../mesos/types.ts';
import { type ClientTls, isTlsMode, type TlsFiles } from '../../tls/settings.ts';
import {
  fileOfFlag,
  isZooKeeperAddress,
  parseZooKeeperAddress,
  type ZooKeeperAddress,
} from '../../zookeeper/address.ts';
import type { Access } from '../api/access-rules.ts';
import { type Containerizer, isContainerizer } from '../domain/containerizer-name.ts';
import { sharedExecutorOf } from '../domain/executor.ts';
import { parsePolicy, type SchedulerPolicy } from '../domain/scheduler-policy.ts';
import type { Settings } from '../domain/settings.ts';
import type { Masters } from '../masters.ts';
import type { SessionLimits } from '../sign-in/session.ts';
import { accessFrom } from './access-options.ts';
import type { FlagName } from './flag-table.ts';
import type { Flags } from './parse-flags.ts';
import { secretFrom } from './secret-file.ts';

export interface ListenOptions {
  httpAddress: string;
  /** Absent: no plain HTTP. */
  httpPort?: number;
  /** The same port as `httpPort`: it takes both. Without `ca`, clients are not asked for certificates. */
  tls?: TlsFiles & { readonly port: number };
  /** True if other schedulers and executors need a certificate. */
  requiresServiceCertificate?: boolean;
  maxConnections: number;
}

export interface DaemonOptions extends ListenOptions, Access {
  masters: Masters;
  /** For connections to masters and agents. Absent: plain text. */
  mesosTls?: ClientTls;
  /** Where schedulers elect a leader and keep the state. Absent: a single scheduler with a journal. */
  zooKeeper?: ZooKeeperAddress;
  credential?: Credential;
  /** For the agents' files API. */
  agentCredential?: Credential;
  settings: Settings;
  dataDirectory: string;
  /** Of people in browsers. */
  sessionLimits: SessionLimits;
  /** Maximum size of a request body. */
  maxBodyBytes: number;
  hostname: string;
  endpointsPortSuffix: boolean;
  disableExec: boolean;
  loggingLevel: string;
}

/** @throws UsageError */
export function optionsFrom(flags: Flags): DaemonOptions {
  const localPortMin = flags.wholeNumber('local_port_min');
  const localPortMax = flags.wholeNumber('local_port_max');
  if (localPortMax < localPortMin) {
    throw new UsageError(`--local_port_max is '${localPortMax}': expected at least --local_port_min`);
  }
  const role = flags.required('mesos_role');
  const cluster = flags.text('cluster') ?? flags.required('framework_name');
  const path = flags.required('docker_executor');
  const credential = credentialFrom(flags);
  const agentCredential = agentCredentialFrom(flags);
  const zk = flags.text('zk');
  const policyFile = flags.text('policy');
  const networkName = flags.text('default_network_name');
  return {
    masters: mastersFrom(flags.required('master')),
    ...mesosTlsFrom(flags),
    ...(zk !== undefined && { zooKeeper: zooKeeperFrom('zk', fromFile('zk', zk)) }),
    ...(credential && { credential }),
    ...(agentCredential && { agentCredential }),
    settings: {
      framework: frameworkFrom(flags, role),
      role,
      defaultExecutor: flags.required('executor'),
      dockerExecutor: sharedExecutorOf({ path, cluster, role }, sha256),
      containerizer: containerizerFrom(flags),
      mesosBridgeName: flags.required('mesos_bridge_name'),
      ...(networkName !== undefined && { defaultNetworkName: networkName }),
      ...(flags.isOn('docker_cpu_quota') && { dockerCpuQuota: true }),
      ...(policyFile !== undefined && { policy: policyFrom(policyFile) }),
      localPortMin,
      localPortMax,
      declineOfferMs: flags.wholeNumber('decline_offer_duration'),
      maxInstancesPerOffer: flags.wholeNumber('max_instances_per_offer'),
      reconciliationInitialDelayMs: flags.wholeNumber('reconciliation_initial_delay'),
      reconciliationIntervalMs: flags.wholeNumber('reconciliation_interval'),
      killRetryMs: flags.wholeNumber('kill_retry_timeout'),
      taskLaunchTimeoutMs: flags.wholeNumber('task_launch_timeout'),
    },
    dataDirectory: flags.required('data_dir'),
    ...listenFrom(flags),
    ...accessFrom(flags),
    sessionLimits: {
      idleMs: flags.wholeNumber('http_session_idle') * 1000,
      maxAgeMs: flags.wholeNumber('http_session_lifetime') * 1000,
    },
    maxBodyBytes: flags.wholeNumber('http_max_body'),
    hostname: flags.text('hostname') ?? hostname(),
    endpointsPortSuffix: flags.isOn('endpoints_port_suffix'),
    disableExec: flags.isOn('disable_exec'),
    loggingLevel: flags.required('logging_level').toLowerCase(),
  };
}

function policyFrom(file: string): SchedulerPolicy {
  const parsed = parsePolicy(parseJson(secretFrom('policy', file)) ?? 'no JSON');
  if ('policy' in parsed) return parsed.policy;
  throw new UsageError(`--policy: ${file}: ${parsed.problem}`);
}

function containerizerFrom(flags: Flags): Containerizer {
  const name = flags.required('containerizer');
  // The table of flags accepts no other value.
  return isContainerizer(name) ? name : 'executor';
}

function listenFrom(flags: Flags): ListenOptions {
  const port = flags.text('https_port');
  const files = tlsFilesFrom(flags);
  const { cert, key, ca } = files;
  const isToMesos = flags.text('mesos_ssl') !== 'off';
  if (port === undefined && !isToMesos && (cert ?? key) !== undefined) {
    throw new UsageError('--ssl_cert_file and --ssl_key_file are set without --https_port: set --https_port');
  }
  if (port !== undefined && (cert === undefined || key === undefined)) {
    throw new UsageError(
      '--https_port needs a certificate and its key: set --ssl_cert_file and --ssl_key_file',
    );
  }
  const isOff = flags.isOn('disable_http');
  if (isOff && port === undefined)
    throw new UsageError('--disable_http is set without --https_port: set --https_port');
  if (ca !== undefined && port === undefined && !isToMesos)
    throw new UsageError('--ssl_ca_file has no effect without --https_port or --mesos_ssl: omit it');
  const requiresServiceCertificate = flags.isOn('ssl_require_service_cert');
  if (requiresServiceCertificate && (ca === undefined || port === undefined))
    throw new UsageError('--ssl_require_service_cert needs --https_port and --ssl_ca_file: set them');
  return {
    httpAddress: flags.required('http_address'),
    ...(!isOff && { httpPort: flags.wholeNumber('http_port') }),
    ...(port !== undefined && { tls: { port: flags.wholeNumber('https_port'), ...files } }),
    ...(requiresServiceCertificate && { requiresServiceCertificate }),
    maxConnections: flags.wholeNumber('http_max_connections'),
  };
}

/** @throws UsageError for a file that can't be read */
function tlsFilesFrom(flags: Flags): TlsFiles {
  const file = (flag: 'ssl_ca_file' | 'ssl_cert_file' | 'ssl_key_file') => {
    const path = flags.text(flag);
    if (path !== undefined) secretFrom(flag, path);
    return path;
  };
  const [ca, cert, key] = [file('ssl_ca_file'), file('ssl_cert_file'), file('ssl_key_file')];
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('a certificate needs its key: set both --ssl_cert_file and --ssl_key_file');
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
}

function mesosTlsFrom(flags: Flags): { mesosTls?: ClientTls } {
  const mode = flags.required('mesos_ssl');
  // The table of flags accepts no other value.
  return isTlsMode(mode) && mode !== 'off' ? { mesosTls: { mode, ...tlsFilesFrom(flags) } } : {};
}

function frameworkFrom(flags: Flags, role: string): FrameworkInfo {
  const principal = flags.text('mesos_authentication_principal');
  const webui = flags.text('webui_url');
  return {
    user: flags.required('mesos_user'),
    name: flags.required('framework_name'),
    failover_timeout: flags.wholeNumber('failover_timeout'),
    checkpoint: true,
    roles: [role],
    capabilities: [
      { type: 'PARTITION_AWARE' },
      { type: 'MULTI_ROLE' },
      { type: 'TASK_KILLING_STATE' },
      ...(flags.isOn('gpu_resources') ? [{ type: 'GPU_RESOURCES' }] : []),
    ],
    ...(principal !== undefined && { principal }),
    ...(webui !== undefined && { webui_url: webui }),
  };
}

/** Reads the value of `--master`. @throws UsageError */
export function mastersFrom(value: string): Masters {
  const masters = fromFile('master', value);
  if (isZooKeeperAddress(masters)) return { zooKeeper: zooKeeperFrom('master', masters) };
  try {
    return { list: parseMasters(masters.replaceAll(/(^|,)\s*http:\/\/([^,/]+)\/?/g, '$1$2')) };
  } catch (error) {
    throw new UsageError(`--master: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @returns the value, or the content of the file it names, which keeps a password out of the argument list */
function fromFile(flag: FlagName, value: string): string {
  const file = fileOfFlag(value);
  return file === undefined ? value : secretFrom(flag, file).trim();
}

function zooKeeperFrom(flag: FlagName, text: string): ZooKeeperAddress {
  try {
    return parseZooKeeperAddress(text);
  } catch (error) {
    throw new UsageError(`--${flag}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function credentialFrom(flags: Flags): Credential | undefined {
  const file = flags.text('mesos_authentication_secret_file');
  if (file === undefined) return undefined;
  const principal = flags.text('mesos_authentication_principal');
  if (principal === undefined) {
    throw new UsageError(
      '--mesos_authentication_secret_file is set without --mesos_authentication_principal: set that flag too',
    );
  }
  const [secret = '', ...others] = secretFrom('mesos_authentication_secret_file', file).split(/\r?\n/);
  return { principal, secret, ...(others.length > 0 && { others }) };
}

function agentCredentialFrom(flags: Flags): Credential | undefined {
  const file = flags.text('agent_credential_file');
  if (file === undefined) return undefined;
  const [, principal, secret] = /^([^:]+):(.+)$/s.exec(secretFrom('agent_credential_file', file)) ?? [];
  if (principal !== undefined && secret !== undefined) return { principal, secret };
  throw new UsageError(`--agent_credential_file: ${file} must contain PRINCIPAL:SECRET`);
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
