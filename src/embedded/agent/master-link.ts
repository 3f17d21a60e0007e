/** Keeps the agent connected to its master. The protocol is in `wire/agent-link.ts`. */

import { request as httpRequest } from 'node:http';
import { messageOf, readText } from '../../mesos/http.ts';
import { encodeRecord, RecordIoDecoder } from '../../mesos/recordio.ts';
import type { Timer } from '../../mesos/retry.ts';
import type { Transport } from '../../tls/connect.ts';
import { AGENT_LINK_PATH, type AgentMessage, type MasterMessage } from '../wire/agent-link.ts';

/** Initial and maximum wait before a reconnect, in milliseconds. */
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 250;
/** Wait after a refusal of an agent without a credential: the master's configuration may change. */
const REFUSED_RETRY_MS = 5000;

/** Finds the leading master. */
export interface MasterSource {
  /** True if no changes of the leader are reported. Only missed pings reveal a restart of the master then. */
  readonly fixed: boolean;
  /** Returns `host:port` of the current leader. @throws if no leader is known */
  current(): Promise<string>;
  /** Calls `listener` with `host:port` of each new leader. */
  onChange(listener: (master: string) => void): void;
  stop(): Promise<void>;
}

/** Returns a source with one fixed master. */
export function fixedMaster(address: string): MasterSource {
  return { fixed: true, current: async () => address, onChange: () => {}, stop: async () => {} };
}

export interface MasterLinkOptions {
  masters: MasterSource;
  /** Default: plain text. */
  transport?: Transport | undefined;
  /** The Authorization header, if the agent has a credential. */
  authorization?: string;
  timer: Timer;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Called when connected: register now. `send` works until `onDisconnected`. */
  onConnected(master: string, send: (message: AgentMessage) => void): void;
  onMessage(message: MasterMessage): void;
  onDisconnected(reason: string): void;
  /** Called when the first of a series of attempts has failed; the attempts continue. */
  onWaiting(reason: string): void;
  /** Called when the master refuses the credential; no more attempts follow. */
  onRefused(master: string): void;
}

/**
 * Connects to the current leader and stays connected. After the loss of a fixed master, the next attempt starts when its
 * pings have been missing for the time announced at the registration, as in a real agent (slave.cpp, `pingTimeout`).
 *
 * @returns a function that stops permanently
 */
export function linkToMaster(options: MasterLinkOptions): () => void {
  let stopped = false;
  let current: Connection | undefined;
  let cancelRetry = () => {};
  let retryMs = FIRST_RETRY_MS;
  let waiting = false;
  let pingTimeoutMs = 0;
  let pingedAt = 0;

  const onMessage = (message: MasterMessage): void => {
    if (message.type === 'REGISTERED') pingTimeoutMs = message.total_ping_timeout_ms;
    if (message.type === 'REGISTERED' || message.type === 'PING') pingedAt = options.now();
    options.onMessage(message);
  };
  const retryAfterMs = ({ refused, connected }: Outcome): number => {
    if (refused) return REFUSED_RETRY_MS;
    if (!connected || !options.masters.fixed) return retryMs;
    return Math.max(retryMs, pingedAt + pingTimeoutMs - options.now());
  };
  const over = (outcome: Outcome): void => {
    current = undefined;
    if (stopped) return;
    if (outcome.refused && options.authorization !== undefined) {
      stopped = true;
      options.onRefused(outcome.master);
      return;
    }
    if (outcome.connected) options.onDisconnected(outcome.reason);
    else if (!waiting) options.onWaiting(outcome.reason);
    waiting = !outcome.connected;
    cancelRetry = options.timer(retryAfterMs(outcome), connect);
    retryMs = outcome.connected ? FIRST_RETRY_MS : Math.min(retryMs * 1.5, LONGEST_RETRY_MS);
  };
  const connect = (): void => {
    options.masters.current().then(
      (master) => {
        if (!stopped) current = openConnection(master, { ...options, onMessage }, over);
      },
      (error: unknown) => over({ master: '', connected: false, reason: messageOf(error) }),
    );
  };
  options.masters.onChange((master) => {
    if (current && current.master !== master) current.close(`${master} leads now`);
  });
  connect();
  return () => {
    stopped = true;
    cancelRetry();
    current?.close('stopped');
  };
}

/** The end of a connection or of an attempt to connect. */
interface Outcome {
  master: string;
  /** True if the master had accepted the connection. */
  connected: boolean;
  /** True if the master answered 401. */
  refused?: boolean;
  reason: string;
}

interface Connection {
  master: string;
  close(reason: string): void;
}

/** Opens one connection. @param onOver called once */
function openConnection(
  master: string,
  { authorization, transport, onConnected, onMessage }: MasterLinkOptions,
  onOver: (outcome: Outcome) => void,
): Connection {
  let connected = false;
  let over = false;
  const decoder = new RecordIoDecoder();
  const request = httpRequest(new URL(`http://${master}${AGENT_LINK_PATH}`), {
    method: 'POST',
    // Node takes the transport's connection only without any agent.
    ...(transport ? { createConnection: transport.createConnection } : { agent: false }),
    ...(authorization === undefined ? {} : { headers: { Authorization: authorization } }),
  });
  const end = (reason: string, refused = false) => {
    if (over) return;
    over = true;
    request.destroy();
    onOver({ master, connected, reason, refused });
  };
  request.on('error', (error) => end(messageOf(error)));
  request.on('close', () => end('the connection was closed'));
  request.on('response', (response) => {
    response.on('error', (error) => end(messageOf(error)));
    if (response.statusCode !== 200) {
      void readText(response).then(
        (text) => end(`it answered ${response.statusCode}: ${text}`, response.statusCode === 401),
        (error: unknown) => end(messageOf(error)),
      );
      return;
    }
    connected = true;
    response.on('close', () => end('the master closed the connection'));
    response.on('data', (chunk: Buffer) => {
      try {
        for (const record of decoder.push(chunk)) {
          if (!over) onMessage(JSON.parse(record.toString('utf8')) as MasterMessage);
        }
      } catch (error) {
        end(messageOf(error));
      }
    });
    onConnected(master, (message) => {
      if (!over) request.write(encodeRecord(JSON.stringify(message)));
    });
  });
  request.flushHeaders();
  return { master, close: end };
}
