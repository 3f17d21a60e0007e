/**
 * Answers DNS queries from a zone (RFC 1035; RFC 6891 for EDNS; RFC 2308 for negative answers; RFC 8482 for ANY). Queries come
 * from anybody: nothing here throws.
 */

import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  encodingLength,
  type Packet,
  type Question,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import { ipVersion } from '../address.ts';
import type { Zone } from './zone.ts';

export interface AnswerOptions {
  readonly transport: 'udp' | 'tcp';
  /** Seconds for which answers may be kept. */
  readonly ttl: number;
  /** A number that grows with each change of the zone. */
  readonly serial: number;
  /** In [0, 1): rotates the records of an answer. */
  readonly random: number;
  /** True if queries for other names can be forwarded. */
  readonly forwards?: boolean;
}

export const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
export type Rcode = keyof typeof RCODES;

export interface Answered {
  readonly packet: Buffer;
  readonly rcode: Rcode;
  /** True if the query is well-formed, and for a name of others. */
  readonly isForeign: boolean;
}

const HEADER_BYTES = 12;
/** What fits into a packet on every network. */
const MOST_UDP = 1232;
const LEAST_UDP = 512;
const MOST_TCP = 65_535;
const BADVERS = 1;
/** The type of EDNS' record. */
const OPT = 41;

interface Query {
  readonly id: number;
  /** Of the answer: RECURSION_DESIRED if the query has it, and RECURSION_AVAILABLE. */
  readonly flags: number;
  readonly question: Question;
  /** Undefined without EDNS. */
  readonly edns: { readonly size: number; readonly version: number } | undefined;
}

/** @returns undefined for a packet that must not be answered: others could be made to answer each other forever */
export function answerQuery(packet: Buffer, zone: Zone, options: AnswerOptions): Answered | undefined {
  if (packet.length < HEADER_BYTES || (packet.readUInt16BE(2) & 0x8000) !== 0) return undefined;
  const query = readQuery(packet, options.forwards ?? false);
  if (typeof query === 'string') return { packet: headerOnly(packet, query), rcode: query, isForeign: false };
  const { rcode, ...sections } = recordsFor(query, zone, options);
  const { name, type, class: of } = query.question;
  const isForeign = of === 'IN' && isOutside(name, zone.domain) && !TRANSFERS.has(type);
  return { packet: encodeWithin(query, RCODES[rcode], sections, options.transport), rcode, isForeign };
}

/** @returns the answer to a query that could not be forwarded */
export function failure(packet: Buffer): Buffer {
  return headerOnly(packet, 'SERVFAIL');
}

function readQuery(packet: Buffer, forwards: boolean): Query | Rcode {
  const bits = packet.readUInt16BE(2);
  if (((bits >> 11) & 0xf) !== 0) return 'NOTIMP';
  const counts = [4, 6, 8, 10].map((at) => packet.readUInt16BE(at));
  const [questions = 0, answers = 0, authorities = 0, additionals = 0] = counts;
  if (questions !== 1 || answers !== 0 || authorities !== 0 || additionals > 2) return 'FORMERR';
  try {
    const bare = Buffer.from(packet);
    bare.writeUInt16BE(0, 10);
    const { questions: [question] = [] } = decode(bare);
    if (!question) return 'FORMERR';
    // The answer repeats the question in the same letters. Of other bytes or a pointer, the library would make another one.
    const same = encode({ questions: [question] }).subarray(HEADER_BYTES);
    const end = HEADER_BYTES + same.length;
    if (!packet.subarray(HEADER_BYTES, end).equals(same)) return 'FORMERR';
    const [edns, ...others] = readOptions(packet, end, additionals);
    if (others.length > 0) return 'FORMERR';
    return {
      id: packet.readUInt16BE(0),
      flags: (bits & RECURSION_DESIRED) | (forwards ? RECURSION_AVAILABLE : 0),
      question,
      edns,
    };
  } catch {
    return 'FORMERR';
  }
}

/**
 * Reads the records of EDNS, and skips others: the library would make a long list of a short record of some types.
 * @throws RangeError if the packet ends too early
 */
function readOptions(packet: Buffer, from: number, count: number): NonNullable<Query['edns']>[] {
  const found: NonNullable<Query['edns']>[] = [];
  let at = from;
  for (let i = 0; i < count; i += 1) {
    const start = at;
    for (let length = packet.readUInt8(at); length > 0 && length < 64; length = packet.readUInt8(at)) {
      at += 1 + length;
    }
    // A pointer has two bytes.
    at += packet.readUInt8(at) === 0 ? 1 : 2;
    const isOption = at === start + 1 && packet.readUInt16BE(at) === OPT;
    if (isOption) found.push({ size: packet.readUInt16BE(at + 2), version: packet.readUInt8(at + 5) });
    at += 10 + packet.readUInt16BE(at + 8);
    if (at > packet.length) throw new RangeError('the packet ends within a record');
  }
  return found;
}

interface Sections {
  readonly flags: number;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
  readonly additionals: readonly Answer[];
}

const NOTHING: Sections = { flags: 0, answers: [], authorities: [], additionals: [] };

const TRANSFERS = new Set<string>(['AXFR', 'IXFR']);

function isOutside(name: string, domain: string): boolean {
  const lower = name.toLowerCase();
  return lower !== domain && !lower.endsWith(`.${domain}`);
}

function recordsFor(
  { question: { name, type, class: of = 'IN' }, edns }: Query,
  { domain, records, names }: Zone,
  { ttl, serial, random }: AnswerOptions,
): Sections & { readonly rcode: Rcode } {
  if (edns && edns.version > 0) return { ...NOTHING, rcode: 'NOERROR' };
  if (of !== 'IN' || isOutside(name, domain) || TRANSFERS.has(type)) return { ...NOTHING, rcode: 'REFUSED' };
  const key = name.toLowerCase();
  const server = `ns1.${domain}`;
  const soa: Answer = {
    type: 'SOA',
    name: domain,
    ttl,
    data: {
      mname: server,
      rname: `root.${server}`,
      serial,
      refresh: 60,
      retry: 60,
      expire: 86_400,
      minimum: ttl,
    },
  };
  const flags = AUTHORITATIVE_ANSWER;
  if (!names.has(key)) return { ...NOTHING, flags, authorities: [soa], rcode: 'NXDOMAIN' };
  const addresses = (of_: string, version: 4 | 6, as: string): Answer[] =>
    [...(records.get(of_)?.addresses ?? [])]
      .filter((one) => ipVersion(one) === version)
      .map((data) => ({ type: version === 4 ? 'A' : 'AAAA', name: as, ttl, data }));
  const services = records.get(key)?.services ?? [];
  const answers = rotate(
    ((): Answer[] => {
      switch (String(type)) {
        case 'A':
          return addresses(key, 4, name);
        case 'AAAA':
          return addresses(key, 6, name);
        case 'SRV':
          return services.map((data) => ({
            type: 'SRV',
            name,
            ttl,
            data: { priority: 0, weight: 0, ...data },
          }));
        case 'SOA':
          return key === domain ? [soa] : [];
        case 'NS':
          return key === domain ? [{ type: 'NS', name, ttl, data: server }] : [];
        case 'UNKNOWN_255':
        case 'ANY':
          return [{ type: 'HINFO', name, ttl, data: { cpu: 'RFC8482', os: '' } }];
        default:
          return [];
      }
    })(),
    random,
  );
  if (answers.length === 0) return { ...NOTHING, flags, authorities: [soa], rcode: 'NOERROR' };
  const targets = type === 'SRV' ? [...new Set(services.map(({ target }) => target))] : [];
  const additionals = targets.flatMap((one) => [...addresses(one, 4, one), ...addresses(one, 6, one)]);
  return { flags, answers, authorities: [], additionals, rcode: 'NOERROR' };
}

function rotate<T>(items: readonly T[], random: number): T[] {
  const first = Math.floor(items.length * random);
  return [...items.slice(first), ...items.slice(0, first)];
}

/** Leaves out additional records first. Without some of the answers, the packet is marked as truncated. */
function encodeWithin(
  { id, flags, question, edns }: Query,
  rcode: number,
  sections: Sections,
  transport: 'udp' | 'tcp',
): Buffer {
  const most =
    transport === 'tcp' ? MOST_TCP : Math.min(MOST_UDP, Math.max(LEAST_UDP, edns?.size ?? LEAST_UDP));
  const opt: Answer[] = edns
    ? [
        {
          type: 'OPT',
          name: '.',
          udpPayloadSize: MOST_UDP,
          extendedRcode: edns.version > 0 ? BADVERS : 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ]
    : [];
  const packet = (answers: readonly Answer[], additionals: readonly Answer[], more = 0): Packet => ({
    type: 'response',
    id,
    flags: flags | sections.flags | rcode | more,
    questions: [question],
    answers: [...answers],
    authorities: [...sections.authorities],
    additionals: [...additionals, ...opt],
  });
  const room = (answers: readonly Answer[], additionals: readonly Answer[]) =>
    most - encodingLength(packet(answers, additionals));
  const { answers } = sections;
  if (room(answers, []) >= 0) {
    const additionals = startThatFits(sections.additionals, room(answers, []));
    return encode(packet(answers, additionals));
  }
  return encode(packet(startThatFits(answers, room([], [])), [], TRUNCATED_RESPONSE));
}

function startThatFits(answers: readonly Answer[], room: number): readonly Answer[] {
  let left = room;
  const end = answers.findIndex((one) => {
    left -= encodingLength({ answers: [one] }) - HEADER_BYTES;
    return left < 0;
  });
  return end === -1 ? answers : answers.slice(0, end);
}

function headerOnly(packet: Buffer, rcode: Rcode): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  packet.copy(header, 0, 0, 2);
  // Keeps the operation and RECURSION_DESIRED.
  header.writeUInt16BE(0x8000 | (packet.readUInt16BE(2) & 0x7900) | RCODES[rcode], 2);
  return header;
}
