/** Parses the answer of `templates/host/doctor/examine.sh`. */

import { z } from 'zod';
import { parseJson } from '../../json.ts';
import type {
  Certificate,
  Engine,
  Examination,
  Snapshot,
  Space,
  ZooKeeperExamination,
  Zxid,
} from '../doctor/examination.ts';
import { TLS_CA, TLS_DIRECTORY } from '../wanted/tls.ts';
import type { ExaminationRequest } from './examine-script.ts';
import { looseText } from './loose-text.ts';
import { lines } from './parse-system.ts';
import { partsOf } from './parts.ts';

const bytes = z.base64().transform((text) => Buffer.from(text, 'base64'));
const text = bytes.transform((read) => looseText(read));

const answer = z.object({
  format: z.literal(1),
  dials: text,
  engine: text,
  orphans: text,
  logs: text,
  guarded: text,
  plain: bytes,
});

/**
 * @param readCertificates returns those of a file that can be read
 * @throws TypeError if the text isn't the complete answer of an examination
 */
export function parseExamination(
  stdout: string,
  request: Pick<ExaminationRequest, 'places' | 'zookeeper'>,
  readCertificates: (pem: string, authorities?: string) => readonly Certificate[],
): Examination {
  const parsed = answer.safeParse(parseJson(stdout));
  if (!parsed.success) {
    const [first = ''] = z.prettifyError(parsed.error).split('\n');
    throw new TypeError(`not the answer of an examination: ${first}`);
  }
  const { data } = parsed;
  const parts = partsOf(data.plain);
  const part = (name: string) => parts.get(name) ?? '';
  const mtu = Number(part('mtu'));
  const engine = parseEngine(data.engine);
  return {
    dials: lines(data.dials).map((line) => {
      const [address = '', port, ...words] = line.split(' ');
      const result = words.join(' ');
      const losesLarge = result === 'open large';
      return {
        address,
        port: Number(port),
        result: losesLarge ? 'open' : result,
        ...(losesLarge && { losesLarge }),
      };
    }),
    spaces: parseSpaces(part('spaces'), request.places),
    names: Object.fromEntries(pairs(part('names'))),
    knowsItself: part('own-name').trim() !== '',
    ...(mtu > 0 && { mtu }),
    ...(engine && { engine }),
    orphans: pairs(data.orphans).map(([id, name]) => ({ id, name })),
    logs: parseLogs(data.logs),
    guarded: Object.fromEntries(
      pairs(data.guarded).map(([port, line]) => [
        Number(port),
        Number(/^HTTP\/1\.[01] (\d{3})/.exec(line)?.[1] ?? 0),
      ]),
    ),
    ...(request.zookeeper && {
      zookeeper: parseZooKeeper(part),
    }),
    kernel: lines(part('kernel')),
    certificates: [...parts].flatMap(([name, pem]) => {
      const path = /^certificate (.*)$/s.exec(name)?.[1];
      if (path === undefined) return [];
      const authorities = path.startsWith(`${TLS_DIRECTORY}/`) ? part(`certificate ${TLS_CA}`) : undefined;
      return [{ path, certificates: readCertificates(pem, authorities) }];
    }),
  };
}

/** Splits each line at its first blank. */
function pairs(list: string): [string, string][] {
  return lines(list).map((line) => {
    const at = line.indexOf(' ');
    return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
  });
}

function parseSpaces(text: string, places: readonly string[]): Record<string, Space> {
  const rows = text.split('\n');
  return Object.fromEntries(
    places.flatMap((place, index) => {
      const [blocks, free, inodes, freeInodes, type = ''] = (rows[index] ?? '').split(' ');
      if (!Number(blocks)) return [];
      const freeInodeCount = Number(freeInodes);
      const space: Space = {
        type,
        freeBlocks: Number(free) / Number(blocks),
        // Btrfs, for example, reports 0 of 0.
        freeInodes: Number(inodes) > 0 ? freeInodeCount / Number(inodes) : 1,
        freeInodeCount,
      };
      return [[place, space]];
    }),
  );
}

/** Of `docker info --format '{{json .}}'`. */
const info = z.object({
  ServerVersion: z.string().min(1),
  Driver: z.string().catch(''),
  CgroupDriver: z.string().catch(''),
  LiveRestoreEnabled: z.boolean().catch(false),
  LoggingDriver: z.string().catch(''),
  Warnings: z.array(z.string()).nullish().catch([]),
});

function parseEngine(text: string): Engine | undefined {
  const found = info.safeParse(parseJson(text)).data;
  return (
    found && {
      driver: found.Driver,
      cgroupDriver: found.CgroupDriver,
      liveRestore: found.LiveRestoreEnabled,
      loggingDriver: found.LoggingDriver,
      warnings: found.Warnings ?? [],
    }
  );
}

function parseLogs(text: string): Record<string, string[]> {
  const units = Map.groupBy(pairs(text), ([unit]) => unit);
  return Object.fromEntries([...units].map(([unit, all]) => [unit, all.map(([, line]) => line)]));
}

function parseZooKeeper(part: (name: string) => string): ZooKeeperExamination {
  const mntr = part('mntr');
  const value = (name: string) => {
    const found = new RegExp(`^${name}\\s+([0-9.]+)$`, 'm').exec(mntr)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const averageLatency = value('zk_avg_latency');
  const outstanding = value('zk_outstanding_requests');
  const zxid = zxidOf(/^Zxid: 0x([0-9a-f]+)$/m.exec(part('srvr'))?.[1]);
  const snapshots = lines(part('snapshots')).flatMap((line): Snapshot[] => {
    const [, hex, bytes, seconds] = /^snapshot\.([0-9a-f]+)\S* (\d+) ([\d.]+)$/.exec(line) ?? [];
    const found = zxidOf(hex);
    return found ? [{ zxid: found, bytes: Number(bytes), at: Math.floor(Number(seconds) * 1000) }] : [];
  });
  return {
    myid: part('myid').trim(),
    ...(zxid && { zxid }),
    ...(snapshots.length > 0 && { snapshots: snapshots.toSorted((a, b) => b.at - a.at) }),
    ...(averageLatency !== undefined && { averageLatency }),
    ...(outstanding !== undefined && { outstanding }),
  };
}

/** Splits the 64 bits of a transaction's number, in hex. */
function zxidOf(hex: string | undefined): Zxid | undefined {
  if (hex === undefined) return undefined;
  return { epoch: Number.parseInt(hex.slice(0, -8) || '0', 16), counter: Number.parseInt(hex.slice(-8), 16) };
}
