/** Resources of every host: mesosup's own records, the payload, and the libraries of the payload's runtime. */

import type { Targets } from '../probe-targets.ts';
import type { PayloadResource } from '../resources/payload.ts';
import { usesRuntime } from '../runtime.ts';
import { CLUSTER, PAYLOADS, STARTED, STATE } from '../script/places.ts';
import { directory, file } from './build.ts';
import type { Context, Part, Payload } from './context.ts';

const ETC = '/etc/mesosup';

/** Read recursively: files of other programs keep their directories, and earlier releases may have left files there. */
export const BASE_TARGETS: Targets = { trees: [ETC] };

/** The link to the payload in use. */
export const CURRENT = `${PAYLOADS}/current`;

export function base(context: Context): Part {
  const { cluster, own, payload } = context;
  const started = context.running ?? own.mesosup.started;
  const marks = [
    directory(ETC),
    directory(STATE),
    file(CLUSTER, `${cluster.name}\n`, { note: 'the cluster of this host' }),
    started
      ? file(STARTED, '', { note: 'the cluster is started on this host' })
      : { kind: 'absent' as const, path: STARTED },
  ];
  if (!needsPayload(context)) return { configuration: marks };
  return {
    packages: ['libatomic1', 'libstdc++6'].map((name) => ({ kind: 'package', name })),
    configuration: [...marks, directory(PAYLOADS), payloadResource(payload)],
  };
}

/** Takes no other field: the archive's path on this machine must not get into a saved plan. */
export function payloadResource({ version, sha256, bytes }: Payload): PayloadResource {
  return { kind: 'payload', version, sha256, bytes };
}

/**
 * Comes after all other configuration: until then, a service that crashes restarts the old program with its old files.
 */
export function currentPayload(context: Context): Part {
  if (!needsPayload(context)) return {};
  return { configuration: [{ kind: 'link', path: CURRENT, target: context.payload.version }] };
}

function needsPayload({ cluster, host }: Context): boolean {
  return usesRuntime(cluster, host);
}
