/** Requests for a WebSocket: they pass through the same routes, hooks and access rules as all other requests. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { answerOf, type Upgrade } from '../upgrade.ts';
import type { Api } from './answers.ts';

const pending = new WeakMap<IncomingMessage, { upgrade: Upgrade; answer: ServerResponse }>();

/** Passes a request to its route, which takes the connection with `takeUpgrade` or answers. */
export function routeUpgrade(api: Api, upgrade: Upgrade): void {
  const answer = answerOf(upgrade);
  pending.set(upgrade.request, { upgrade, answer });
  api.routing(upgrade.request, answer);
}

/** True if the request asks for a WebSocket, and its connection was not taken yet. */
export function isUpgrade(request: IncomingMessage): boolean {
  return pending.has(request);
}

/** Takes the connection of a request for a WebSocket. The request must not be answered afterwards. */
export function takeUpgrade(request: IncomingMessage): Upgrade {
  const found = pending.get(request);
  if (!found) throw new TypeError('the connection of this request was taken already');
  pending.delete(request);
  found.answer.detachSocket(found.upgrade.socket as Socket);
  return found.upgrade;
}
