/** Looks for faults of ZooKeeper's data: where it is, and its snapshots. */

import { count } from '../../text/count.ts';
import { ZOO_CFG } from '../topology.ts';
import { ZOOKEEPER_DATA, ZOOKEEPER_SERVICE } from '../wanted/zookeeper.ts';
import type { Snapshot, Zxid } from './examination.ts';
import { type Finding, finding, type Patient } from './finding.ts';

/** Transactions after which ZooKeeper writes a snapshot, and the number that it keeps, by default. */
const SNAP_COUNT = 100_000;
const RETAINED = 3;
/** A busy disk may delay a snapshot, but not this many times. */
const LATE = 5;
const HOUR_MS = 3_600_000;
/** The purge runs once a day. */
const KEPT_HOURS = 50;
/** Directories that are emptied when a host starts. */
const TEMPORARY = /^\/(?:tmp|var\/tmp|run|var\/run|dev\/shm)(?:\/|$)/;

export function snapshots({ host, own, seen }: Patient): Finding[] {
  const server = seen.zookeeper;
  if (server === undefined || !own.mesosup.started) return [];
  const config = own.files[ZOO_CFG]?.text ?? '';
  const setting = (name: string) => new RegExp(`^\\s*${name}\\s*=\\s*(\\S+)`, 'm').exec(config)?.[1];
  const found = [...temporary(host.name, setting('dataDir')), ...temporary(host.name, setting('dataLogDir'))];
  const { snapshots: all = [], zxid } = server;
  const latest = all[0];
  if (latest === undefined) return found;
  const behind = zxid === undefined ? 0 : transactionsAfter(latest.zxid, zxid);
  if (behind > LATE * Number(setting('snapCount') ?? SNAP_COUNT)) {
    found.push(
      finding(
        host.name,
        'snapshot',
        `ZooKeeper writes no snapshots: the last one is ${behind} transactions old, all of which it reads again when it starts`,
        `Find the reason in its log: mesosup logs ${host.name} --service ${ZOOKEEPER_SERVICE} --since 24h --grep snapshot`,
        {
          severity: 'warning',
          evidence: [describe(latest, own.clock.now), `free disk: df -h ${ZOOKEEPER_DATA}`],
        },
      ),
    );
  }
  found.push(...purge(host.name, all, own.clock.now, setting));
  return found;
}

function temporary(host: string, directory: string | undefined): Finding[] {
  if (directory === undefined || !TEMPORARY.test(directory)) return [];
  return [
    finding(
      host,
      'volatile',
      `ZooKeeper's data is in ${directory}, which is emptied when the host starts`,
      `Move it: systemctl stop ${ZOOKEEPER_SERVICE} && cp -a ${directory}/. ${ZOOKEEPER_DATA}/ && mesosup install`,
      { evidence: [`${ZOO_CFG}: ${directory}`] },
    ),
  ];
}

/** Snapshots that the purge should have removed. */
function purge(
  host: string,
  all: readonly Snapshot[],
  now: number,
  setting: (name: string) => string | undefined,
): Finding[] {
  const retained = Number(setting('autopurge.snapRetainCount') ?? RETAINED);
  const isOff = Number(setting('autopurge.purgeInterval') ?? 0) <= 0;
  const old = all.slice(retained).filter(({ at }) => now - at > KEPT_HOURS * HOUR_MS);
  if (old.length === 0) return [];
  const bytes = old.reduce((sum, one) => sum + one.bytes, 0);
  return [
    finding(
      host,
      'snapshots',
      `ZooKeeper keeps ${count(old.length, 'old snapshot')} (${Math.ceil(bytes / 2 ** 20)} MiB) and their logs${isOff ? ', since its purge is off' : ''}`,
      isOff
        ? `Turn it on with autopurge.purgeInterval=24 in ${ZOO_CFG}: mesosup install`
        : `It removes them when it starts: systemctl restart ${ZOOKEEPER_SERVICE}`,
      { severity: 'warning', evidence: old.slice(0, 3).map((one) => describe(one, now)) },
    ),
  ];
}

function describe({ zxid: { epoch, counter }, bytes, at }: Snapshot, now: number): string {
  const hours = Math.floor((now - at) / HOUR_MS);
  return `snapshot of transaction ${counter} of term ${epoch}: ${bytes} bytes, ${count(hours, 'hour')} old`;
}

/** Those of earlier terms are not known, and not counted. */
function transactionsAfter(from: Zxid, to: Zxid): number {
  return from.epoch === to.epoch ? to.counter - from.counter : to.counter;
}
