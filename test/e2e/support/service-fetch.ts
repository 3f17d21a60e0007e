/** Requests to the services of a cluster that may have TLS: the global `fetch` takes no certificates. */

import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { Readable } from 'node:stream';
import { tlsFiles } from '../../../src/cluster/certificates.ts';
import { ClusterState } from '../../../src/cluster/edge/cluster-state.ts';
import { clientsUseTls } from '../../../src/install/wanted/tls.ts';

/** In PEM. */
interface Tls {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** @returns the CA and a certificate of the cluster; undefined while its clients use plain text */
async function tlsOf(stateDirectory: string): Promise<Tls | undefined> {
  const kept = await new ClusterState(stateDirectory).certificates();
  if (kept === undefined || !clientsUseTls({ secrets: { tls: tlsFiles(kept) } })) return undefined;
  const leaf = kept.leaves.find(({ service }) => service === 'agent') ?? kept.leaves[0];
  if (leaf === undefined) return undefined;
  const ca = kept.authorities.map(({ certificate }) => certificate).join('\n');
  return { ca, cert: leaf.certificate, key: leaf.key };
}

/**
 * Sends a request as the global `fetch` does, with TLS if the cluster has it. Follows no redirect with TLS.
 *
 * @param place host, port and path: `10.99.0.11:8080/ping`
 */
export async function serviceFetch(
  stateDirectory: string,
  place: string,
  init: RequestInit = {},
): Promise<Response> {
  const tls = await tlsOf(stateDirectory);
  if (tls === undefined) return fetch(`http://${place}`, init);
  const { method = 'GET', body, signal } = init;
  const headers = Object.fromEntries(new Headers(init.headers));
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(
      `https://${place}`,
      { ...tls, method, headers, agent: false, ...(signal && { signal }) },
      resolve,
    );
    sent.on('error', (error) => reject(signal?.aborted ? signal.reason : error));
    sent.end(typeof body === 'string' ? body : undefined);
  });
  const status = answer.statusCode ?? 0;
  const empty = status === 204 || status === 304;
  if (empty) answer.resume();
  return new Response(empty ? null : (Readable.toWeb(answer) as ReadableStream), {
    status,
    headers: Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
  });
}
