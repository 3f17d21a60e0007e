/** The agent over HTTP. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FlagValues } from '../wire/flags.ts';
import { answerEmpty, answerError, answerJson, notFound, requestTarget } from '../wire/http.ts';
import { MESOS_VERSION } from '../wire/version.ts';
import { executorApi } from './executor-api.ts';
import { files } from './files.ts';
import type { Agent } from './model.ts';
import { containersJson, metricsJson, stateJson } from './state-json.ts';

export interface AgentServer {
  agent: Agent;
  flags: FlagValues;
  /** `host:port` */
  master: string;
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

async function route(
  { agent, flags, master, onSubscribed }: AgentServer,
  path: string,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (path.startsWith('/files/')) return files(agent, path.slice('/files/'.length), query, response);
  switch (path) {
    case '/api/v1/executor':
      return executorApi(agent, request, response, onSubscribed);
    case '/state': {
      const hostname = agent.toMaster ? master.replace(/:\d+$/, '') : undefined;
      return answerJson(response, stateJson(agent, flags, hostname));
    }
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
