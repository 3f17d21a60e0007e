/** The addresses of the schedulers, for programs on hosts that connect to them. */

import { hostsWith } from '../../cluster/topology.ts';
import { isJson, parseJson } from '../../json.ts';
import type { FileResource } from '../resources/file.ts';
import { addressOf } from '../topology.ts';
import { file } from './build.ts';
import type { Context } from './context.ts';

export const SCHEDULERS = '/etc/mesosup/schedulers.json';

export function schedulersFile(context: Context): FileResource {
  return file(SCHEDULERS, `${JSON.stringify({ schedulers: schedulerUrls(context) }, null, 2)}\n`, {
    note: 'the schedulers to which programs on this host connect',
  });
}

/**
 * The addresses of the schedulers, sorted. As long as one of them is unreachable, the addresses that the host has are
 * kept: one of them may be that scheduler's.
 */
export function schedulerUrls({ cluster, facts, own }: Context): string[] {
  const schedulers = hostsWith(cluster, 'scheduler');
  const addresses = schedulers.map((host) => addressOf(cluster, host, facts));
  const urls = addresses.flatMap((address) =>
    address === undefined ? [] : [`http://${address}:${cluster.ports.scheduler}`],
  );
  const kept = schedulers.every(({ name }) => facts.has(name)) ? [] : presentUrls(own);
  return [...new Set([...urls, ...kept])].toSorted();
}

function presentUrls({ files }: Context['own']): string[] {
  const content = parseJson(files[SCHEDULERS]?.text ?? '');
  const urls = isJson(content) && Array.isArray(content.schedulers) ? content.schedulers : [];
  return urls.filter((url) => typeof url === 'string');
}
