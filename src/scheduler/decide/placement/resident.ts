/**
 * Places instances with persistent volumes. A new instance gets resources reserved and its volumes created; the offer
 * that comes back is used to launch its task, and so is each later offer of these resources, for as long as the
 * instance exists. Labels and ids are those of Marathon 1.11.
 */

import type { OfferOperation, Resource } from '../../../mesos/types.ts';
import type { App } from '../../domain/app.ts';
import { flatId } from '../../domain/app-id.ts';
import { countProbes, isOnAgent } from '../../domain/checks.ts';
import type { StateEvent } from '../../domain/events.ts';
import { type LocalVolume, operationId, type Reservation } from '../../domain/reservation.ts';
import { persistentVolumesOf } from '../../domain/residency.ts';
import type { AppRecord, State } from '../../domain/state.ts';
import type { Task } from '../../domain/task.ts';
import { uuidOf } from '../../domain/uuid.ts';
import { ownContainerizer } from '../tasks/form.ts';
import { taskInfo } from '../tasks/task-info.ts';
import { type Bin, fill } from './bin.ts';
import { type Candidate, Candidates } from './candidates.ts';
import { countTask } from './constraints.ts';
import { partOf } from './disks.ts';
import { askAgents, EFFORT_OF_APP, launch, type Round, reportRefusals, shelfFor } from './place.ts';
import { reservationLabels } from './pools.ts';
import { hasVolumes, reservedIn } from './reserved.ts';
import { type Want, wantOf } from './want.ts';

/** Time after which unconfirmed operations are reconciled; Marathon's `task_reservation_timeout`. */
export const RESERVATION_TIMEOUT_MS = 20_000;

/** @returns whether all missing instances of the app were launched */
export function placeResident(round: Round, record: AppRecord, app: App): boolean {
  const want = wantOf(app, round.state.settings);
  if (want.forbidden !== undefined) return false;
  const waiting = [...record.reservations.values()].filter(({ taskId }) => taskId === undefined);
  const launched = relaunch(round, record, app, want, waiting);
  const missing = record.missing - launched.size;
  if (missing === 0) return true;
  const left = waiting.filter(({ id }) => !launched.has(id));
  reserve(round, record, app, want, left, missing - left.length);
  return false;
}

/** Launches tasks on the offered volumes of instances. @returns the ids of these instances */
function relaunch(
  round: Round,
  record: AppRecord,
  app: App,
  want: Want,
  waiting: readonly Reservation[],
): Set<string> {
  const launched = new Set<string>();
  const known = new Map(waiting.map((one) => [one.id, one]));
  for (const { bin } of round.inOrder) {
    for (const [id, resources] of reservedIn(bin.offer, round.state)) {
      const reservation = known.get(id);
      if (!reservation || launched.size >= record.missing || !hasVolumes(reservation, resources)) continue;
      launched.add(id);
      round.events.push(...launchOn(round, app, want, bin, reservation, resources));
    }
  }
  return launched;
}

function launchOn(
  { state, now }: Round,
  app: App,
  want: Want,
  bin: Bin,
  reservation: Reservation,
  resources: readonly Resource[],
): StateEvent[] {
  const { id, ports, fields, run } = reservation;
  const probes = countProbes(app);
  const task: Task = {
    id: `${id}._app.${reservation.launches + 1}`,
    appId: app.id,
    run,
    version: app.version,
    configVersion: app.configVersion,
    agentId: bin.offer.agent_id.value,
    host: bin.offer.hostname,
    ports,
    ...(fields && { fields }),
    launchedAt: now,
    checked: app.healthChecks.some(isOnAgent),
    ...(probes > 0 && { probes }),
    state: 'TASK_STAGING',
  };
  bin.tasks.push(taskInfo(app, want.form, task, { resources }, state.settings));
  const confirmed: StateEvent[] =
    reservation.state === 'held'
      ? []
      : [{ type: 'reservation_changed', reservationId: id, state: 'held', at: now }];
  return [...confirmed, ...launch(state, task, now)];
}

/** Reserves resources for new instances. */
function reserve(
  round: Round,
  record: AppRecord,
  app: App,
  want: Want,
  waiting: readonly Reservation[],
  howMany: number,
): void {
  const { state, now, events } = round;
  if (howMany <= 0) {
    if (waiting.some(({ state: at }) => at === 'held')) {
      const refused = new Map([['reservation' as const, round.inOrder.length]]);
      const processed = round.inOrder.length;
      events.push({ type: 'offers_weighed', appId: app.id, processed, refused, used: false, at: now });
    }
    return;
  }
  // An instance can't leave an agent later that lacks its containerizer.
  if (ownContainerizer(want.form) !== undefined) askAgents(round);
  const shelf = shelfFor(round, want);
  const candidates = new Candidates(shelf, record, app);
  if (app.constraints.length > 0) {
    for (const { fields = {} } of waiting) countTask(candidates.rules, fields);
  }
  let placed = 0;
  for (; placed < howMany; placed += 1) {
    const found = candidates.next();
    if (!found) break;
    const reservation = newReservation(state, record, app, found, placed, now);
    found.bin.operations.push(...operationsFor(state, app, want, found, reservation));
    events.push({ type: 'instance_reserved', reservation }, confirmTimer(state, reservation.id, now));
    candidates.placed(found);
  }
  const broken = candidates.close();
  if (placed === howMany) return;
  round.effort += EFFORT_OF_APP + candidates.tries;
  reportRefusals(round, record, { app, shelf, candidates, broken, placed });
}

function confirmTimer({ connection }: State, reservationId: string, now: number): StateEvent {
  const at = now + RESERVATION_TIMEOUT_MS;
  return { type: 'timer_set', at, timer: { kind: 'reservation', reservationId, connection } };
}

function newReservation(
  state: State,
  record: AppRecord,
  app: App,
  { bin, fit, fields }: Candidate,
  placed: number,
  now: number,
): Reservation {
  const uuid = (n: number) => uuidOf(now, record.run, n);
  let n = record.launches + placed;
  const idOf = () => `${flatId(app.id)}.instance-${uuid(n)}`;
  while (state.reservations.has(idOf())) n += 1000;
  return {
    id: idOf(),
    appId: app.id,
    run: record.run,
    agentId: bin.offer.agent_id.value,
    host: bin.offer.hostname,
    ports: fit.ports,
    volumes: persistentVolumesOf(app).map(({ containerPath }, i): LocalVolume => {
      const own = i === 0 ? uuid(n) : uuidOf(now, record.run, (i << 24) + n);
      return { containerPath, uuid: own, persistenceId: `${flatId(app.id)}#${containerPath}#${own}` };
    }),
    ...(app.constraints.length > 0 && { fields }),
    reservedAt: now,
    state: 'requested',
    launches: 0,
  };
}

function operationsFor(
  { settings, frameworkId = '' }: State,
  app: App,
  want: Want,
  { bin, fit }: Candidate,
  { id, volumes }: Reservation,
): OfferOperation[] {
  const { principal } = settings.framework;
  const withPrincipal = principal !== undefined && { principal };
  const reservation = { ...withPrincipal, labels: reservationLabels(frameworkId, id) };
  const reserved = (one: Resource): Resource => ({ ...one, role: settings.role, reservation });
  const { resources } = fill(bin, want, fit);
  const disks = want.disks.map((volume, i) => partOf(fit.disks.chosen[i] as Resource, volume));
  const allocation = bin.offer.allocation_info ?? { role: settings.role };
  const rootDisk: Resource = { name: 'disk', type: 'SCALAR', allocation_info: allocation };
  const created = persistentVolumesOf(app).map((volume, i): Resource => {
    const at = want.disks.indexOf(volume);
    const own = at < 0 ? undefined : disks[at];
    const base = own ?? { ...rootDisk, scalar: { value: volume.persistent.size } };
    const disk = {
      ...(own?.disk?.source && { source: own.disk.source }),
      persistence: { id: volumes[i]?.persistenceId ?? '', ...withPrincipal },
      volume: { container_path: volume.containerPath, mode: 'RW' as const },
    };
    return { ...reserved(base), disk };
  });
  const named = (name: 'reserve' | 'create') => ({ id: { value: operationId(name, id) } });
  return [
    { type: 'RESERVE', ...named('reserve'), reserve: { resources: [...resources, ...disks].map(reserved) } },
    { type: 'CREATE', ...named('create'), create: { volumes: created } },
  ];
}
