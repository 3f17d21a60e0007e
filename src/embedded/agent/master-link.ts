/** The agent's connection to its master, made again whenever it breaks; the protocol is in `wire/agent-link.ts`. */

import { type ClientRequest, request as httpRequest } from 'node:http';
import { messageOf } from '../../mesos/http.ts';
import { encodeRecord, RecordIoDecoder } from '../../mesos/recordio.ts';
import type { Timer } from '../../mesos/retry.ts';
import { AGENT_LINK_PATH, type AgentMessage, type MasterMessage } from '../wire/agent-link.ts';

/** Wait before connecting again: first and longest, in milliseconds. */
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 250;

export interface MasterLinkOptions {
  /** `host:port` */
  master: string;
  timer: Timer;
  /** Connected: register. `send` works until `onDisconnected`. */
  onConnected(send: (message: AgentMessage) => void): void;
  onMessage(message: MasterMessage): void;
  onDisconnected(reason: string): void;
  /** The first of several attempts to connect has failed; they go on. */
  onWaiting(reason: string): void;
}

/** Connects and stays connected. @returns a function that ends it for good */
export function linkToMaster(options: MasterLinkOptions): () => void {
  let stopped = false;
  let current: ClientRequest | undefined;
  let cancelRetry = () => {};
  let retryMs = FIRST_RETRY_MS;
  let waiting = false;

  const connect = () => {
    let connected = false;
    let over = false;
    const decoder = new RecordIoDecoder();
    const url = new URL(`http://${options.master}${AGENT_LINK_PATH}`);
    const request = httpRequest(url, { method: 'POST', agent: false });
    current = request;
    const end = (reason: string) => {
      if (over) return;
      over = true;
      request.destroy();
      if (stopped) return;
      if (connected) options.onDisconnected(reason);
      else if (!waiting) options.onWaiting(reason);
      waiting = !connected;
      cancelRetry = options.timer(retryMs, connect);
      retryMs = Math.min(retryMs * 1.5, LONGEST_RETRY_MS);
    };
    request.on('error', (error) => end(messageOf(error)));
    request.on('close', () => end('the connection was closed'));
    request.on('response', (response) => {
      if (response.statusCode !== 200) {
        end(`the master answered ${response.statusCode}`);
        return;
      }
      connected = true;
      retryMs = FIRST_RETRY_MS;
      response.on('error', (error) => end(messageOf(error)));
      response.on('close', () => end('the master closed the connection'));
      response.on('data', (chunk: Buffer) => {
        try {
          for (const record of decoder.push(chunk)) {
            if (!over) options.onMessage(JSON.parse(record.toString('utf8')) as MasterMessage);
          }
        } catch (error) {
          end(messageOf(error));
        }
      });
      options.onConnected((message) => {
        if (!over) request.write(encodeRecord(JSON.stringify(message)));
      });
    });
    request.flushHeaders();
  };
  connect();
  return () => {
    stopped = true;
    cancelRetry();
    current?.destroy();
  };
}
