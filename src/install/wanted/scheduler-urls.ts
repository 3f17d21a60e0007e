/** The addresses of the schedulers, for programs on hosts that connect to them. */

import { hostsWith } from '../../cluster/topology.ts';
import { isJson, parseJson } from '../../json.ts';
import type { FileResource } from '../resources/file.ts';
import { addressOf } from '../topology.ts';
import { file } from './build.ts';
import type { Context } from './context.ts';
import { clientsUseTls, TLS_CA } from './tls.ts';

export const SCHEDULERS = '/etc/mesosup/schedulers.json';

export function schedulersFile(context: Context): FileResource {
  const content = {
    schedulers: schedulerUrls(context),
    ...(clientsUseTls(context) && { ca: TLS_CA }),
  };
  return file(SCHEDULERS, `${JSON.stringify(content, null, 2)}\n`, {
    note: 'the schedulers to which programs on this host connect',
  });
}

/**
 * The addresses of the schedulers, sorted. As long as one of them is unreachable, the addresses that the host has are
 * kept: one of them may be that scheduler's.
 */
export function schedulerUrls(context: Context): string[] {
  const { cluster, facts, own } = context;
  const scheme = clientsUseTls(context) ? 'https' : 'http';
  const schedulers = hostsWith(cluster, 'scheduler');
  const addresses = schedulers.map((host) => addressOf(cluster, host, facts));
  const urls = addresses.flatMap((address) =>
    address === undefined ? [] : [`${scheme}://${address}:${cluster.ports.scheduler}`],
  );
  const kept = schedulers.every(({ name }) => facts.has(name)) ? [] : presentUrls(own, scheme);
  return [...new Set([...urls, ...kept])].toSorted();
}

function presentUrls({ files }: Context['own'], scheme: string): string[] {
  const content = parseJson(files[SCHEDULERS]?.text ?? '');
  const urls = isJson(content) && Array.isArray(content.schedulers) ? content.schedulers : [];
  return urls.filter((url) => typeof url === 'string').map((url) => url.replace(/^https?:/, `${scheme}:`));
}
