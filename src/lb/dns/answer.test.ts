import { type Answer, decode, encode, type Packet, type Question } from 'dns-packet';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { balancedApp, snapshotOf } from '../../../test/lb/snapshots.ts';
import { answerQuery } from './answer.ts';
import { buildZone } from './zone.ts';

const OPTIONS = { transport: 'udp', ttl: 5, serial: 7, random: 0 } as const;
const RD = 0x100;

function app(count: number) {
  return balancedApp(
    '/web',
    10_001,
    Array.from({ length: count }, (_, i) => 31_000 + i),
  );
}

const ZONE = buildZone(snapshotOf([app(2)]), 'mesos', (host) => host);
const MANY = buildZone(snapshotOf([app(3000)]), 'mesos', (host) => host);

function query(name: string, type: string, more: Packet = {}): Buffer {
  return encode({ id: 99, flags: RD, questions: [{ name, type, ...more } as Question], ...more });
}

function edns(size: number, version = 0): Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: size,
    extendedRcode: 0,
    ednsVersion: version,
    flags: 0,
    flag_do: false,
    options: [],
  };
}

/** @param options of the answer */
function ask(packet: Buffer, zone = ZONE, options: Parameters<typeof answerQuery>[2] = OPTIONS) {
  const answered = answerQuery(packet, zone, options);
  if (!answered) throw new Error('no answer');
  return { ...decode(answered.packet), rcode: answered.rcode, bytes: answered.packet.length };
}

it('answers A and SRV with authority, in the letters of the question', () => {
  const a = ask(query('WeB.Marathon.MESOS', 'A'));
  expect(a).toMatchObject({ id: 99, type: 'response', flag_aa: true, flag_rd: true, flag_ra: false });
  expect(a.questions).toMatchObject([{ name: 'WeB.Marathon.MESOS', type: 'A' }]);
  expect(a.answers).toMatchObject([{ name: 'WeB.Marathon.MESOS', type: 'A', ttl: 5, data: '127.0.0.1' }]);
  const srv = ask(query('_web._tcp.marathon.mesos', 'SRV'));
  expect(srv.answers).toMatchObject([
    { type: 'SRV', ttl: 5, data: { port: 31_000, priority: 0, weight: 0 } },
    { type: 'SRV', data: { port: 31_001 } },
  ]);
  const targets = srv.answers?.map((one) => one.type === 'SRV' && one.data.target);
  expect(srv.additionals?.map(({ name }) => name)).toEqual(targets);
  const other = ask(query('_web._tcp.marathon.mesos', 'SRV'), ZONE, { ...OPTIONS, random: 0.6 });
  expect(other.answers).toMatchObject([{ data: { port: 31_001 } }, { data: { port: 31_000 } }]);
});

it('answers AAAA of containers with an address of their own', () => {
  const tasks = [{ id: 'x', state: 'ready' as const, addresses: ['[fd00::5]:80'] }];
  const zone = buildZone(snapshotOf([{ ...app(0), tasks }]), 'mesos', (host) => host);
  expect(ask(query('web.marathon.mesos', 'AAAA'), zone).answers).toMatchObject([{ data: 'fd00::5' }]);
  expect(ask(query('web.marathon.mesos', 'A'), zone)).toMatchObject({ answers: [], rcode: 'NOERROR' });
});

it.each([
  ['none.marathon.mesos', 'A', 'NXDOMAIN', 'SOA'],
  ['web.marathon.mesos', 'SRV', 'NOERROR', 'SOA'],
  ['web.marathon.mesos', 'TXT', 'NOERROR', 'SOA'],
  ['_tcp.marathon.mesos', 'A', 'NOERROR', 'SOA'],
  ['mesos', 'A', 'NOERROR', 'SOA'],
  ['example.com', 'A', 'REFUSED', undefined],
  ['xmesos', 'A', 'REFUSED', undefined],
  ['.', 'NS', 'REFUSED', undefined],
  ['mesos', 'AXFR', 'REFUSED', undefined],
])('answers %s %s with %s', (name, type, rcode, authority) => {
  const answer = ask(query(name, type));
  expect(answer).toMatchObject({ rcode, answers: [] });
  expect(answer.authorities?.map((one) => one.type)).toEqual(authority === undefined ? [] : [authority]);
});

it('answers SOA and NS of its domain, and ANY with little', () => {
  expect(ask(query('mesos', 'SOA')).answers).toMatchObject([
    { type: 'SOA', data: { mname: 'ns1.mesos', serial: 7, minimum: 5 } },
  ]);
  expect(ask(query('mesos', 'NS')).answers).toMatchObject([{ type: 'NS', data: 'ns1.mesos' }]);
  const any = query('web.marathon.mesos', 'A');
  any.writeUInt16BE(255, any.length - 4);
  expect(ask(any).answers).toMatchObject([{ type: 'HINFO' }]);
});

it('marks answers that do not fit as truncated, and sends as much as the client can take', () => {
  const name = '_web._tcp.marathon.mesos';
  const plain = ask(query(name, 'SRV'), MANY);
  expect(plain.flag_tc).toBe(true);
  expect(plain.bytes).toBeLessThanOrEqual(512);
  expect(plain.answers?.length).toBeGreaterThan(3);
  const larger = ask(query(name, 'SRV', { additionals: [edns(4096)] }), MANY);
  expect(larger.bytes).toBeGreaterThan(1000);
  expect(larger.bytes).toBeLessThanOrEqual(1232);
  expect(larger.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232 }]);
  expect(ask(query(name, 'SRV', { additionals: [edns(1)] }), MANY).bytes).toBeLessThanOrEqual(512);
  const tcp = ask(query(name, 'SRV'), MANY, { ...OPTIONS, transport: 'tcp' });
  expect(tcp.bytes).toBeGreaterThan(60_000);
  expect(tcp.bytes).toBeLessThanOrEqual(65_535);
});

it('refuses what it does not know, by the code of the protocol', () => {
  const good = query('web.marathon.mesos', 'A');
  const changed = (change: (packet: Buffer) => unknown) => {
    const packet = Buffer.from(good);
    change(packet);
    return packet;
  };
  expect(ask(changed((one) => one.writeUInt16BE(0x2900, 2)))).toMatchObject({
    rcode: 'NOTIMP',
    opcode: 'UPDATE',
  });
  expect(ask(changed((one) => one.writeUInt16BE(2, 4))).rcode).toBe('FORMERR');
  expect(ask(changed((one) => one.writeUInt16BE(1, 6))).rcode).toBe('FORMERR');
  expect(ask(good.subarray(0, good.length - 3)).rcode).toBe('FORMERR');
  expect(ask(changed((one) => one.writeUInt16BE(3, one.length - 2))).rcode).toBe('REFUSED');
  // A dot or a byte above 127 in a label, and a pointer to the header.
  expect(ask(changed((one) => one.write('.', 14))).rcode).toBe('FORMERR');
  expect(ask(changed((one) => one.writeUInt8(0xff, 14))).rcode).toBe('FORMERR');
  expect(ask(changed((one) => one.writeUInt16BE(0xc000, 12))).rcode).toBe('FORMERR');
  expect(ask(query('web.marathon.mesos', 'A', { additionals: [edns(512), edns(512)] })).rcode).toBe(
    'FORMERR',
  );
  const later = ask(query('web.marathon.mesos', 'A', { additionals: [edns(512, 1)] }));
  expect(later).toMatchObject({ answers: [], additionals: [{ extendedRcode: 1 }] });
  expect(
    answerQuery(
      changed((one) => one.writeUInt16BE(0x8100, 2)),
      ZONE,
      OPTIONS,
    ),
  ).toBeUndefined();
  expect(answerQuery(Buffer.alloc(11), ZONE, OPTIONS)).toBeUndefined();
});

it('skips other records than that of EDNS, whatever is in them', () => {
  const withRecords = (...records: readonly Buffer[]) => {
    const packet = Buffer.concat([query('web.marathon.mesos', 'A'), ...records]);
    packet.writeUInt16BE(records.length, 10);
    return packet;
  };
  const recordOf = (name: readonly number[], type: number, data: Buffer) => {
    const rest = Buffer.alloc(10);
    rest.writeUInt16BE(type, 0);
    rest.writeUInt16BE(4000, 2);
    rest.writeUInt16BE(data.length, 8);
    return Buffer.concat([Buffer.from(name), rest, data]);
  };
  const option = recordOf([0], 41, Buffer.alloc(0));
  // The library takes 0.3 s for such a record of the type NSEC.
  const many = Buffer.alloc(60_000, 0xff);
  const answered = { rcode: 'NOERROR', answers: [{ type: 'A' }] };
  for (const name of [[0], [1, 97, 0], [0xc0, 12], [1, 97, 0xc0, 12]]) {
    const packet = withRecords(recordOf(name, 47, many), option);
    expect(ask(packet)).toMatchObject({ ...answered, additionals: [{ type: 'OPT' }] });
    expect(ask(packet.subarray(0, packet.length - 1)).rcode).toBe('FORMERR');
    expect(ask(withRecords(recordOf(name, 47, many)))).toMatchObject({ ...answered, additionals: [] });
  }
  expect(ask(withRecords(option, option)).rcode).toBe('FORMERR');
  expect(ask(withRecords(recordOf([0], 41, many).subarray(0, 50_000))).rcode).toBe('FORMERR');
});

it('never throws, and never sends more than the client may get, whatever arrives', () => {
  const types = ['A', 'AAAA', 'SRV', 'SOA', 'NS', 'TXT', 'OPT', 'NSEC', 'RRSIG', 'UNKNOWN_300'];
  const names = ['_web._tcp.marathon.mesos', 'web.marathon.mesos', 'mesos', '.', 'a.b'];
  const nearly = fc
    .record({
      packet: fc
        .tuple(
          fc.constantFrom(...names),
          fc.constantFrom(...types),
          fc.boolean(),
          fc.integer({ max: 65_535, min: 0 }),
        )
        .map(([name, type, hasEdns, size]) =>
          query(name, type, hasEdns ? { additionals: [edns(size)] } : {}),
        ),
      changes: fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 255 })), { maxLength: 4 }),
      end: fc.nat({ max: 80 }),
    })
    .map(({ packet, changes, end }) => {
      const bytes = Buffer.from(packet);
      for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
      return bytes.subarray(0, Math.max(bytes.length - Math.max(0, end - 60), 0));
    });
  const any = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(
      fc.oneof(nearly, any),
      fc.constantFrom('udp' as const, 'tcp' as const),
      (packet, transport) => {
        const answered = answerQuery(packet, MANY, { ...OPTIONS, transport });
        if (!answered) return;
        expect(answered.packet.length).toBeLessThanOrEqual(transport === 'udp' ? 1232 : 65_535);
        expect(answered.packet.readUInt16BE(0)).toBe(packet.readUInt16BE(0));
        expect(answered.packet.readUInt8(2) & 0x80).toBe(0x80);
        decode(answered.packet);
      },
    ),
    { numRuns: 3000 },
  );
});
