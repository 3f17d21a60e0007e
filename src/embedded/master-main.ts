/** The program `master`. */

import { libprocessTls } from '../tls/libprocess.ts';
import { parseZooKeeperAddress, type ZooKeeperAddress } from '../zookeeper/address.ts';
import type { Authentication } from './master/server.ts';
import { MASTER_FLAGS } from './master-flags.ts';
import { startMaster } from './start-master.ts';
import { readCredentials } from './wire/credentials.ts';
import {
  FlagError,
  type FlagValues,
  flagMs,
  flagNumber,
  flagOn,
  flagSecret,
  networkOptions,
  shownFlags,
} from './wire/flags.ts';
import { type Program, runProgram } from './wire/program.ts';

function authentication(flags: FlagValues, log: (line: string) => void): Authentication {
  const agents = flagOn(flags, 'authenticate_agents');
  const frameworks = flagOn(flags, 'authenticate_http_frameworks');
  const authenticator = flags.get('http_framework_authenticators');
  if (frameworks && authenticator === undefined) {
    throw new FlagError(
      'Missing `--http_framework_authenticators` flag. This must be used in conjunction with' +
        ' `--authenticate_http_frameworks`',
    );
  }
  for (const name of [authenticator ?? 'basic', flags.get('http_authenticators')]) {
    if (name !== 'basic') throw new FlagError(`HTTP authenticator '${name}' not found; use basic`);
  }
  const readonly = flagOn(flags, 'authenticate_http_readonly');
  const readwrite = flagOn(flags, 'authenticate_http_readwrite');
  const file = flags.get('credentials');
  if (file === undefined && agents) {
    throw new FlagError(
      'Failed to start master with authentication enabled: agents can not be authenticated without --credentials=PATH',
    );
  }
  if (file === undefined && (frameworks || readonly || readwrite)) {
    throw new FlagError('No credentials provided for the HTTP authenticator: give --credentials=PATH');
  }
  const credentials = file === undefined ? new Map() : readCredentials(file, 'credentials', log);
  return { agents, frameworks, readonly, readwrite, credentials };
}

/** Reads the storage of the registry and the place of the election. */
function persistence({ flags, readFile }: Program): { zookeeper?: ZooKeeperAddress; workDir?: string } {
  const registry = flags.get('registry') ?? '';
  const kept = registry !== 'in_memory';
  if (kept && registry !== 'replicated_log' && registry !== 'log_storage') {
    throw new FlagError(`'${registry}' is not a supported option for registry persistence`);
  }
  const workDir = flags.get('work_dir');
  if (kept && workDir === undefined) {
    throw new FlagError('--work_dir needed for replicated log based registry');
  }
  const where = kept && workDir !== undefined ? { workDir } : {};
  const zk = flagSecret(flags, 'zk', readFile);
  if (zk === undefined) return where;
  if (kept && flags.get('quorum') === undefined) {
    throw new FlagError('Need to specify --quorum for replicated log based registry when using ZooKeeper');
  }
  return { ...where, zookeeper: zooKeeperAddress(zk) };
}

function zooKeeperAddress(text: string): ZooKeeperAddress {
  let address: ZooKeeperAddress;
  try {
    address = parseZooKeeperAddress(text);
  } catch (error) {
    throw new FlagError(`Error parsing ZooKeeper URL: ${(error as Error).message}`);
  }
  if (address.path !== '/') return address;
  throw new FlagError("Expecting a (chroot) path for ZooKeeper ('/' is not supported)");
}

await runProgram('master', MASTER_FLAGS, async (program) => {
  const { flags, log, exit } = program;
  const { zookeeper, ...registry } = persistence(program);
  const tls = libprocessTls(process.env)?.server;
  const running = await startMaster({
    ...(tls && { tls }),
    ...networkOptions(flags),
    authentication: authentication(flags, log),
    ...registry,
    ...(zookeeper
      ? {
          zookeeper: {
            address: zookeeper,
            sessionTimeoutMs: flagMs(flags, 'zk_session_timeout'),
            quorum: flags.has('quorum') ? flagNumber(flags, 'quorum') : 1,
          },
        }
      : {}),
    flags: shownFlags(MASTER_FLAGS, flags),
    allocationIntervalMs: flagMs(flags, 'allocation_interval'),
    agentPingTimeoutMs: flagMs(flags, 'agent_ping_timeout'),
    maxAgentPingTimeouts: flagNumber(flags, 'max_agent_ping_timeouts'),
    agentReregisterTimeoutMs: flagMs(flags, 'agent_reregister_timeout'),
    ...(flags.has('offer_timeout') ? { offerTimeoutMs: flagMs(flags, 'offer_timeout') } : {}),
    log,
    onLost: (reason) => exit(1, reason),
  });
  log(`master listening on ${running.url}`);
});
