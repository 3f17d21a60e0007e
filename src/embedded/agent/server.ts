/** The agent's HTTP server. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Authenticators, authenticate, type Principal } from '../wire/authentication.ts';
import type { FlagValues } from '../wire/flags.ts';
import { answerEmpty, answerError, answerJson, answerText, notFound, requestTarget } from '../wire/http.ts';
import { MESOS_VERSION } from '../wire/version.ts';
import { executorApi } from './executor-api.ts';
import { files } from './files.ts';
import type { Agent } from './model.ts';
import { containersJson, metricsJson, stateJson } from './state-json.ts';

/** The requests that must be authenticated, and the authenticators. */
export interface Authentication {
  authenticators: Authenticators;
  readonly: boolean;
  readwrite: boolean;
  executors: boolean;
}

export interface AgentServer {
  agent: Agent;
  flags: FlagValues;
  authentication: Authentication;
  onSubscribed: () => void;
}

/** Answers one request, with or without the prefix `/slave(1)`. */
export async function handleRequest(
  server: AgentServer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { agent } = server;
  const target = requestTarget(request);
  const path = target.path.replace(/^\/slave\(1\)(?=\/)/, '').replace(/\.json$/, '');
  try {
    await route(server, path, target.query, request, response);
  } catch (error) {
    answerError(response, error, `${request.method} ${path}`, agent.ports.log);
  }
}

/** Returns the authentication flag that applies to a path. */
function guardOf(path: string): 'readonly' | 'readwrite' | 'executors' | undefined {
  switch (path) {
    case '/version':
    case '/health':
      return undefined;
    case '/api/v1':
      return 'readwrite';
    case '/api/v1/executor':
      return 'executors';
    default:
      return 'readonly';
  }
}

const REALMS = {
  readonly: 'mesos-agent-readonly',
  readwrite: 'mesos-agent-readwrite',
  executors: 'mesos-agent-executor',
} as const;

async function route(
  { agent, flags, authentication, onSubscribed }: AgentServer,
  path: string,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const guard = guardOf(path);
  let principal: Principal | undefined;
  if (guard && authentication[guard]) {
    principal = authenticate(request, response, REALMS[guard], authentication.authenticators);
    if (!principal) return;
  }
  if (path.startsWith('/files/')) return files(agent, path.slice('/files/'.length), query, response);
  switch (path) {
    case '/api/v1/executor':
      return executorApi(agent, principal, request, response, onSubscribed);
    case '/api/v1':
      return answerText(response, 501, 'The embedded agent does not answer the operator API');
    case '/state':
      return answerJson(response, stateJson(agent, flags));
    case '/containers':
      return answerJson(response, containersJson(agent));
    case '/flags':
      return answerJson(response, { flags: Object.fromEntries(flags) });
    case '/metrics/snapshot':
      return answerJson(response, metricsJson(agent));
    case '/version':
      return answerJson(response, { build_date: '', build_time: 0, build_user: '', version: MESOS_VERSION });
    case '/health':
      return answerEmpty(response, 200);
    default:
      return notFound(response);
  }
}
