/** What every host has: this program's own marks, the payload, and the libraries the payload's runtime needs. */

import type { Targets } from '../probe-targets.ts';
import type { PayloadResource } from '../resources/payload.ts';
import { CLUSTER, PAYLOADS, STARTED, STATE } from '../script/places.ts';
import { directory, file } from './build.ts';
import type { Context, Part, Payload } from './context.ts';

const ETC = '/etc/mesosup';

/** All in it: what others put there keeps its directories, and an earlier release may have put other files there. */
export const BASE_TARGETS: Targets = { trees: [ETC] };

/** The link to the payload in use. */
export const CURRENT = `${PAYLOADS}/current`;

export function base(context: Context): Part {
  const { cluster, own, payload } = context;
  const started = context.running ?? own.mesosup.started;
  const marks = [
    directory(ETC),
    directory(STATE),
    file(CLUSTER, `${cluster.name}\n`, { note: 'the cluster this host belongs to' }),
    started
      ? file(STARTED, '', { note: 'that the cluster runs here, also after a boot' })
      : { kind: 'absent' as const, path: STARTED },
  ];
  if (!needsPayload(context)) return { configuration: marks };
  return {
    packages: ['libatomic1', 'libstdc++6'].map((name) => ({ kind: 'package', name })),
    configuration: [...marks, directory(PAYLOADS), payloadResource(payload)],
  };
}

/** Takes no other field: the archive's place on this machine must not get into a saved plan. */
export function payloadResource({ version, sha256, bytes }: Payload): PayloadResource {
  return { kind: 'payload', version, sha256, bytes };
}

/** After all other configuration: until then, a service that crashes starts the old program with its old files. */
export function currentPayload(context: Context): Part {
  if (!needsPayload(context)) return {};
  return { configuration: [{ kind: 'link', path: CURRENT, target: context.payload.version }] };
}

/** The scheduler and the executor run on the payload's runtime. */
export function needsPayload(context: Pick<Context, 'host'>): boolean {
  return context.host.roles.includes('scheduler') || context.host.roles.includes('agent');
}
