/** A scheduler of which a test decides what it says about apps. */

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Snapshot } from '../../../src/lb/snapshot.ts';

export interface FakeScheduler {
  readonly url: string;
  /** What `GET /v2/endpoints` answers; a text is sent as it is, undefined closes the connection. */
  answer: Snapshot | string | undefined;
  /** Sends an event to all listeners. */
  notify(): void;
  stop(): void;
}

export async function startFakeScheduler(): Promise<FakeScheduler> {
  const listeners = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/v2/events')) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write(': hello\n\n');
      listeners.add(response);
      response.on('close', () => listeners.delete(response));
      return;
    }
    const { answer } = fake;
    if (answer === undefined) request.socket.destroy();
    else response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeScheduler = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: undefined,
    notify: () => {
      for (const listener of listeners) listener.write('event: status_update_event\ndata: {}\n\n');
    },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return fake;
}
