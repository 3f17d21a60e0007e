/** The agent's connection to its master, made again whenever it breaks; the protocol is in `wire/agent-link.ts`. */

import { request as httpRequest } from 'node:http';
import { messageOf, readText } from '../../mesos/http.ts';
import { encodeRecord, RecordIoDecoder } from '../../mesos/recordio.ts';
import type { Timer } from '../../mesos/retry.ts';
import { AGENT_LINK_PATH, type AgentMessage, type MasterMessage } from '../wire/agent-link.ts';

/** Wait before connecting again: first and longest, in milliseconds. */
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 250;
/** For a master that wants a credential where there is none to show: its configuration may change. */
const REFUSED_RETRY_MS = 5000;

/** Where the leading master is. */
export interface MasterSource {
  /** True where nothing reports a change of the leader: a restart of the master shows only in the pings that it misses. */
  readonly fixed: boolean;
  /** `host:port` of the one that leads now. @throws where nobody is known to */
  current(): Promise<string>;
  /** Told `host:port` whenever another master leads. */
  onChange(listener: (master: string) => void): void;
  stop(): Promise<void>;
}

/** A master that is always the same. */
export function fixedMaster(address: string): MasterSource {
  return { fixed: true, current: async () => address, onChange: () => {}, stop: async () => {} };
}

export interface MasterLinkOptions {
  masters: MasterSource;
  /** The Authorization header, where the agent has a credential. */
  authorization?: string;
  timer: Timer;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Connected: register. `send` works until `onDisconnected`. */
  onConnected(master: string, send: (message: AgentMessage) => void): void;
  onMessage(message: MasterMessage): void;
  onDisconnected(reason: string): void;
  /** The first of several attempts to connect has failed; they go on. */
  onWaiting(reason: string): void;
  /** The master doesn't take the credential; there are no more attempts. */
  onRefused(master: string): void;
}

/**
 * Connects and stays connected to whoever leads. After a fixed master is gone the next attempt comes when its pings
 * have been missing for as long as it said at the registration, as with a real agent (slave.cpp, `pingTimeout`).
 *
 * @returns a function that ends it for good
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

/** How a connection, or the attempt at one, ended. */
interface Outcome {
  master: string;
  /** The master took it for an agent. */
  connected: boolean;
  /** The master answered 401. */
  refused?: boolean;
  reason: string;
}

interface Connection {
  master: string;
  close(reason: string): void;
}

/** One connection. @param onOver called once */
function openConnection(
  master: string,
  { authorization, onConnected, onMessage }: MasterLinkOptions,
  onOver: (outcome: Outcome) => void,
): Connection {
  let connected = false;
  let over = false;
  const decoder = new RecordIoDecoder();
  const request = httpRequest(new URL(`http://${master}${AGENT_LINK_PATH}`), {
    method: 'POST',
    agent: false,
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
