/** The program `master`. */

import { readFileSync } from 'node:fs';
import type { Authentication } from './master/server.ts';
import { startMaster } from './start-master.ts';
import {
  FlagError,
  type FlagSpecs,
  type FlagValues,
  flagMs,
  flagNumber,
  flagOn,
  parseFlags,
} from './wire/flags.ts';
import { runProgram } from './wire/program.ts';

const FLAGS: FlagSpecs = {
  ip: { kind: 'text', default: '127.0.0.1', help: 'address to listen on' },
  port: { kind: 'integer', default: '5050', help: 'port to listen on, 0 for any free one' },
  hostname: { kind: 'text', help: 'how others are told to reach this master' },
  work_dir: { kind: 'text', help: 'taken for likeness with a real master; nothing is kept there' },
  cluster: { kind: 'text', help: 'name shown in /state' },
  authenticate_http_frameworks: { kind: 'switch', default: 'false', help: 'schedulers must authenticate' },
  http_framework_authenticators: { kind: 'text', help: 'basic; obligatory with the flag before' },
  authenticate_http_readonly: { kind: 'switch', default: 'false', help: 'guards /state and the like' },
  authenticate_http_readwrite: { kind: 'switch', default: 'false', help: 'guards /teardown and /api/v1' },
  credentials: {
    kind: 'text',
    help: 'path of a JSON file, {"credentials":[{"principal","secret"}]}',
  },
  agent_ping_timeout: {
    kind: 'duration',
    default: '15secs',
    help: 'how long an agent may take to answer a ping',
  },
  max_agent_ping_timeouts: {
    kind: 'integer',
    default: '5',
    help: 'pings missed until an agent is unreachable',
  },
  agent_reregister_timeout: {
    kind: 'duration',
    default: '10mins',
    help: 'how long agents of the master before this one may take to come back',
  },
  allocation_interval: {
    kind: 'duration',
    default: '1secs',
    help: 'time between allocations nothing else asks for',
  },
};

function readCredentials(path: string): Map<string, string> {
  // A file:// value has been read already, a path has not.
  const text = path.trimStart().startsWith('{') ? path : readFileSync(path, 'utf8');
  const { credentials } = JSON.parse(text) as { credentials?: { principal: string; secret?: string }[] };
  if (!Array.isArray(credentials)) throw new TypeError('it holds no list "credentials"');
  return new Map(credentials.map((c) => [c.principal, c.secret ?? '']));
}

function authentication(flags: FlagValues): Authentication {
  const frameworks = flagOn(flags, 'authenticate_http_frameworks');
  const authenticator = flags.get('http_framework_authenticators');
  if (frameworks && authenticator === undefined) {
    throw new FlagError(
      'Missing `--http_framework_authenticators` flag. This must be used in conjunction with' +
        ' `--authenticate_http_frameworks`',
    );
  }
  if (authenticator !== undefined && authenticator !== 'basic') {
    throw new FlagError(`HTTP framework authenticator '${authenticator}' not found; use basic`);
  }
  const readonly = flagOn(flags, 'authenticate_http_readonly');
  const readwrite = flagOn(flags, 'authenticate_http_readwrite');
  const file = flags.get('credentials');
  if (file === undefined) {
    if (frameworks || readonly || readwrite) {
      throw new FlagError('No credentials provided for the HTTP authenticator: give --credentials=PATH');
    }
    return { frameworks, readonly, readwrite, credentials: new Map() };
  }
  try {
    return { frameworks, readonly, readwrite, credentials: readCredentials(file) };
  } catch (error) {
    // The text itself may be secret: only the reason is shown.
    const why = error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message;
    throw new FlagError(`Failed to read the file of --credentials: ${why}`);
  }
}

await runProgram('master', FLAGS, async (log) => {
  const flags = parseFlags(FLAGS, process.argv.slice(2), process.env, (path) => readFileSync(path, 'utf8'));
  const hostname = flags.get('hostname');
  const ip = flags.get('ip') ?? '127.0.0.1';
  const shown = new Map([...flags].map(([name, value]) => [name, name === 'credentials' ? 'set' : value]));
  const running = await startMaster({
    ip,
    port: flagNumber(flags, 'port'),
    ...(hostname === undefined ? {} : { hostname }),
    authentication: authentication(flags),
    flags: shown,
    allocationIntervalMs: flagMs(flags, 'allocation_interval'),
    agentPingTimeoutMs: flagMs(flags, 'agent_ping_timeout'),
    maxAgentPingTimeouts: flagNumber(flags, 'max_agent_ping_timeouts'),
    agentReregisterTimeoutMs: flagMs(flags, 'agent_reregister_timeout'),
    log,
  });
  log(`master listening on ${running.url}`);
});
