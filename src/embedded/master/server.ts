/** The master's HTTP server. */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RecordIoDecoder } from '../../mesos/recordio.ts';
import type { SchedulerEvent } from '../../mesos/types.ts';
import { AGENT_LINK_PATH, type AgentMessage, type MasterMessage } from '../wire/agent-link.ts';
import { authenticate, basicPrincipal } from '../wire/authentication.ts';
import type { Credentials } from '../wire/credentials.ts';
import {
  acceptsJson,
  answerEmpty,
  answerError,
  answerText,
  CallRefused,
  methodNotAllowed,
  notFound,
  openEventStream,
  readCall,
  requestTarget,
} from '../wire/http.ts';
import { handleAgentDisconnect, registerAgent } from './agents.ts';
import { HEARTBEAT_SECONDS, handleDisconnect, subscribe } from './frameworks.ts';
import { type Agent, type AgentStream, isLeader, type Master, type SchedulerStream } from './model.ts';
import { handleOperationResult } from './operations.ts';
import { type OperatorContext, operatorRoute, redirectToLeader } from './operator.ts';
import { callingFramework, handleCall, validateCall } from './scheduler-call.ts';
import { handleAgentUpdate, handleExitedExecutor, messageFromExecutor } from './tasks.ts';

/** The requests that require one of `credentials`. */
export interface Authentication {
  agents: boolean;
  frameworks: boolean;
  readonly: boolean;
  readwrite: boolean;
  credentials: Credentials;
}

export interface MasterServer extends OperatorContext {
  master: Master;
  authentication: Authentication;
}

/**
 * Redirects to the leader. @returns true if this master doesn't lead and has answered with a redirect or 503
 * @throws CallRefused with 503 while this master leads and recovers
 */
function redirectIfFollower(master: Master, request: IncomingMessage, response: ServerResponse): boolean {
  if (isLeader(master)) {
    if (master.recovering) throw new CallRefused(503, 'Master has not finished recovery');
    return false;
  }
  redirectToLeader(master, `/master${(request.url ?? '/').replace(/^\/master(?=\/)/, '')}`, response);
  return true;
}

/** Answers one request. */
export async function handleRequest(
  server: MasterServer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = requestTarget(request).path.replace(/^\/master(?=\/)/, '');
  try {
    if (path === '/api/v1/scheduler') await scheduler(server, request, response);
    else if (path === AGENT_LINK_PATH) agentLink(server, request, response);
    else await operator(server, path, request, response);
  } catch (error) {
    answerError(response, error, `${request.method} ${path}`, server.master.ports.log);
  }
}

async function scheduler(
  server: MasterServer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { master, authentication } = server;
  let principal: string | undefined;
  if (authentication.frameworks) {
    const authenticators = { basic: authentication.credentials };
    const found = authenticate(request, response, 'mesos-master-scheduler', authenticators);
    if (!found) return;
    if ('name' in found) principal = found.name;
  }
  if (redirectIfFollower(master, request, response)) return;
  if (request.method !== 'POST') return methodNotAllowed(response, request.method);
  const call = validateCall(await readCall(request), principal);
  const streamId = request.headers['mesos-stream-id'];
  if (call.type !== 'SUBSCRIBE' || !call.subscribe) {
    const framework = callingFramework(master, call, streamId?.toString(), principal);
    return answerEmpty(response, handleCall(master, framework, call));
  }
  if (!acceptsJson(request)) {
    return answerText(
      response,
      406,
      "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
    );
  }
  if (streamId !== undefined) {
    return answerText(response, 400, "Subscribe calls should not include the 'Mesos-Stream-Id' header");
  }
  const requestedInfo = call.subscribe.framework_info;
  const info =
    principal === undefined || requestedInfo.principal !== undefined
      ? requestedInfo
      : { ...requestedInfo, principal };
  const id = randomUUID();
  const opened = openEventStream<SchedulerEvent>(
    response,
    { 'Mesos-Stream-Id': id },
    () => handleDisconnect(master, stream),
    { event: { type: 'HEARTBEAT' }, everyMs: HEARTBEAT_SECONDS * 1000 },
  );
  const stream: SchedulerStream = { id, ...opened };
  subscribe(master, { ...call.subscribe, framework_info: info }, stream);
}

/** The master's side of `agent/master-link.ts`. The protocol is in `wire/agent-link.ts`. */
function agentLink(server: MasterServer, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'POST') {
    methodNotAllowed(response, request.method);
    return;
  }
  const { master } = server;
  if (!isLeader(master) || master.recovering) {
    answerText(
      response,
      503,
      isLeader(master) ? 'Master has not finished recovery' : 'This master does not lead',
    );
    return;
  }
  const refusal = agentRefusal(server.authentication, request);
  if (refusal !== undefined) {
    master.ports.log(`Refusing registration of agent at ${request.socket.remoteAddress} because ${refusal}`);
    answerText(response, 401, refusal);
    return;
  }
  let agent: Agent | undefined;
  const stream: AgentStream = openEventStream<MasterMessage>(response, {}, () => {
    request.destroy();
    if (agent) handleAgentDisconnect(master, agent, stream);
  });
  const decoder = new RecordIoDecoder();
  request.on('error', () => response.destroy());
  request.on('end', () => response.end());
  request.on('data', (chunk: Buffer) => {
    try {
      for (const record of decoder.push(chunk)) {
        const message = JSON.parse(record.toString('utf8')) as AgentMessage;
        if (message.type === 'REGISTER') agent = registerAgent(master, message, stream);
        else if (agent) handleAgentMessage(master, agent, message);
      }
    } catch (error) {
      master.ports.log(
        `Closing the link of agent ${agent?.id ?? request.socket.remoteAddress}: ${(error as Error).stack}`,
      );
      response.destroy();
    }
  });
}

/** Checks an agent's credentials, also if they are optional. @returns the reason of a refusal, or undefined */
function agentRefusal({ agents, credentials }: Authentication, request: IncomingMessage): string | undefined {
  if (request.headers.authorization === undefined) return agents ? 'it is not authenticated' : undefined;
  return basicPrincipal(request, credentials) === undefined ? 'its credential is refused' : undefined;
}

function handleAgentMessage(master: Master, agent: Agent, message: AgentMessage): void {
  switch (message.type) {
    case 'PONG':
      agent.missedPings = 0;
      break;
    case 'UPDATE':
      handleAgentUpdate(master, agent, message.framework_id, message.status, message.latest_state);
      break;
    case 'OPERATION':
      handleOperationResult(master, agent, message.operation);
      break;
    case 'EXITED_EXECUTOR':
      handleExitedExecutor(master, agent, message);
      break;
    case 'EXECUTOR_MESSAGE':
      messageFromExecutor(master, agent, message);
      break;
    case 'REGISTER':
      break;
  }
}

async function operator(
  server: MasterServer,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const route = operatorRoute(path);
  if (!route) return notFound(response);
  const { readonly, readwrite, credentials } = server.authentication;
  const guarded = route.access === 'readwrite' ? readwrite : route.access === 'readonly' && readonly;
  const realm = `mesos-master-${route.access}`;
  if (guarded && !authenticate(request, response, realm, { basic: credentials })) return;
  if (!route.local && redirectIfFollower(server.master, request, response)) return;
  await route.answer(server, request, response);
}
