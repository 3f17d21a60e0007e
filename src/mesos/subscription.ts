/**
 * One subscription to Mesos: the SUBSCRIBE call and the event stream that answers it. Used by schedulers and executors.
 * It is never reopened; a session creates the next one.
 */

import type { IncomingMessage } from 'node:http';
import type { Transport } from '../tls/connect.ts';
import { describeRefusal, MesosCallError, messageOf, readText, send } from './http.ts';
import { RecordIoDecoder } from './recordio.ts';

export interface SubscriptionOptions<Event> {
  url: URL;
  socketPath?: string;
  transport?: Transport | undefined;
  headers: Readonly<Record<string, string>>;
  /** The SUBSCRIBE call; sent as JSON. */
  call: unknown;
  /** Called when the stream is open, with its URL after redirects and its `Mesos-Stream-Id` (only masters send one). */
  onOpen: (url: URL, streamId: string | undefined) => void;
  /** Called for every event, in order. */
  onEvent: (event: Event) => void;
  /** Called once, when the stream has ended or could not be opened. Never called after `close`. */
  onClosed: (reason: string, status: number | undefined) => void;
}

export interface Subscription {
  /** Ends the stream. No events are delivered afterwards, not even events of the current chunk. */
  close(): void;
}

/** Subscribes and reports through the callbacks. */
export function openSubscription<Event>(options: SubscriptionOptions<Event>): Subscription {
  const abort = new AbortController();
  let open = true;
  const closed = (reason: string, status?: number) => {
    if (!open) return;
    open = false;
    abort.abort();
    options.onClosed(reason, status);
  };
  const run = async () => {
    const answer = await send({
      url: options.url,
      ...(options.socketPath !== undefined && { socketPath: options.socketPath }),
      transport: options.transport,
      headers: options.headers,
      body: JSON.stringify(options.call),
      signal: abort.signal,
    });
    if (answer.status !== 200) {
      throw new MesosCallError(describeRefusal(answer, await readText(answer.body)), answer.status);
    }
    if (!open) return;
    const streamId = answer.headers['mesos-stream-id'];
    options.onOpen(answer.url, typeof streamId === 'string' ? streamId : undefined);
    readEvents(answer.body, () => open, options.onEvent, closed);
  };
  run().catch((error: unknown) =>
    closed(messageOf(error), error instanceof MesosCallError ? error.status : undefined),
  );
  return {
    close() {
      open = false;
      abort.abort();
    },
  };
}

function readEvents<Event>(
  body: IncomingMessage,
  isOpen: () => boolean,
  onEvent: (event: Event) => void,
  closed: (reason: string) => void,
): void {
  const decoder = new RecordIoDecoder();
  body.on('data', (chunk: Buffer) => {
    const events: Event[] = [];
    let broken: string | undefined;
    try {
      for (const record of decoder.push(chunk)) events.push(JSON.parse(record.toString('utf8')) as Event);
    } catch (error) {
      broken = `the event stream can't be read: ${messageOf(error)}`;
    }
    for (const event of events) if (isOpen()) onEvent(event);
    if (broken !== undefined) closed(broken);
  });
  body.on('end', () => {
    closed(decoder.atBoundary ? 'the event stream ended' : 'the event stream ended inside a record');
  });
  body.on('error', (error) => closed(`the event stream was interrupted: ${messageOf(error)}`));
}
