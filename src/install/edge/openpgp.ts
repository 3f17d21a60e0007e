/**
 * The part of OpenPGP (RFC 4880, RFC 9580) that gives the fingerprint and the expiry of a repository's key. Signatures
 * aren't verified: the fingerprint is trusted, and apt verifies the repository with the key.
 */

import { createHash } from 'node:crypto';

/** A primary key with its names, signatures and subkeys. */
export interface PublicKey {
  /** In hex, upper case: 40 digits for a key of version 4, 64 for version 6. */
  readonly fingerprint: string;
  /** Milliseconds since 1970; undefined when it doesn't expire. */
  readonly expires: number | undefined;
  /** Its packets: the key, names, signatures, subkeys. */
  readonly packets: Buffer;
}

interface Packet {
  readonly tag: number;
  readonly body: Buffer;
  readonly begin: number;
  readonly end: number;
}

const SIGNATURE = 2;
const PUBLIC_KEY = 6;
/** Certifications of a user id, 0x10 to 0x13, and the signature of the key itself. */
const SELF_SIGNATURES = [0x10, 0x11, 0x12, 0x13, 0x1f];
const CREATED = 2;
const KEY_EXPIRES = 9;
const ISSUER = 16;
const ISSUER_FINGERPRINT = 33;

/** Reads the public keys of a file, armoured or binary. @throws TypeError when the file contains no keys */
export function readKeys(file: Buffer): PublicKey[] {
  const bytes = file[0] !== undefined && file[0] >= 0x80 ? file : dearmour(file.toString('latin1'));
  const packets = readPackets(bytes);
  const starts = packets.flatMap(({ tag }, index) => (tag === PUBLIC_KEY ? [index] : []));
  if (starts.length === 0 || starts[0] !== 0) throw new TypeError('it contains no public OpenPGP key');
  return starts.map((start, index) => {
    const own = packets.slice(start, starts[index + 1] ?? packets.length);
    const [key] = own;
    if (!key) throw new TypeError('it contains no public OpenPGP key');
    const fingerprint = fingerprintOf(key.body);
    return {
      fingerprint,
      expires: expiryOf(key.body, fingerprint, own),
      packets: bytes.subarray(key.begin, own.at(-1)?.end),
    };
  });
}

/** Version 4: SHA-1 over 0x99, the length in two octets and the packet. Version 6: SHA-256 over 0x9b, four octets. */
function fingerprintOf(body: Buffer): string {
  const prefix = (mark: number, octets: number) => {
    const bytes = Buffer.alloc(1 + octets);
    bytes[0] = mark;
    bytes.writeUIntBE(body.length, 1, octets);
    return bytes;
  };
  const digest =
    body[0] === 4
      ? createHash('sha1').update(prefix(0x99, 2)).update(body)
      : body[0] === 6
        ? createHash('sha256').update(prefix(0x9b, 4)).update(body)
        : undefined;
  if (!digest) throw new TypeError(`its OpenPGP key has version ${body[0]}; mesosup supports 4 and 6`);
  return digest.digest('hex').toUpperCase();
}

/** Returns the expiry that the newest self-signature sets, in milliseconds since 1970. */
function expiryOf(key: Buffer, fingerprint: string, packets: readonly Packet[]): number | undefined {
  const born = key.readUInt32BE(1);
  const subkeys = packets.findIndex(({ tag }) => tag === 14);
  const own = packets
    .slice(0, subkeys < 0 ? packets.length : subkeys)
    .filter(({ tag, body }) => tag === SIGNATURE && SELF_SIGNATURES.includes(body[1] ?? 0))
    .map(({ body }) => subpackets(body))
    .filter((found) => isIssuer(found, fingerprint))
    .toSorted((a, b) => (a.get(CREATED)?.readUInt32BE() ?? 0) - (b.get(CREATED)?.readUInt32BE() ?? 0));
  const lifetime = own.at(-1)?.get(KEY_EXPIRES)?.readUInt32BE() ?? 0;
  return lifetime === 0 ? undefined : (born + lifetime) * 1000;
}

function isIssuer(found: ReadonlyMap<number, Buffer>, fingerprint: string): boolean {
  const hex = (bytes: Buffer | undefined) => bytes?.toString('hex').toUpperCase();
  const issuer = hex(found.get(ISSUER_FINGERPRINT)?.subarray(1));
  if (issuer !== undefined) return issuer === fingerprint;
  return hex(found.get(ISSUER)) === fingerprint.slice(-16);
}

/** Reads the hashed subpackets of a signature of version 4 or 6. Of the unhashed ones, only the issuer is read. */
function subpackets(body: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  const wide = body[0] === 6 ? 4 : 2;
  if (body[0] !== 4 && body[0] !== 6) return found;
  const hashed = body.readUIntBE(4, wide);
  const plain = 4 + wide + hashed;
  const areas = [
    body.subarray(4 + wide, plain),
    body.subarray(plain + wide, plain + wide + body.readUIntBE(plain, wide)),
  ];
  for (const [index, area] of areas.entries()) {
    for (let at = 0; at < area.length; ) {
      const { length, size } = subpacketLength(area, at);
      const type = (area[at + size] ?? 0) & 0x7f;
      const value = area.subarray(at + size + 1, at + size + length);
      if (index === 0 || (type === ISSUER && !found.has(type))) found.set(type, value);
      at += size + length;
      if (length === 0) break;
    }
  }
  return found;
}

function subpacketLength(area: Buffer, at: number): { length: number; size: number } {
  const first = area[at] ?? 0;
  if (first < 192) return { length: first, size: 1 };
  if (first < 255) return { length: ((first - 192) << 8) + (area[at + 1] ?? 0) + 192, size: 2 };
  return { length: area.readUInt32BE(at + 1), size: 5 };
}

function readPackets(bytes: Buffer): Packet[] {
  const packets: Packet[] = [];
  try {
    for (let at = 0; at < bytes.length; ) {
      const packet = readPacket(bytes, at);
      if (packet.end > bytes.length) throw new RangeError('a packet is cut off');
      packets.push(packet);
      at = packet.end;
    }
  } catch (cause) {
    throw new TypeError('it is not an OpenPGP key, or it is damaged', { cause });
  }
  return packets;
}

function readPacket(bytes: Buffer, begin: number): Packet {
  const head = bytes.readUInt8(begin);
  if ((head & 0x80) === 0) throw new RangeError('the first bit of a packet must be 1');
  const at = begin + 1;
  let tag = head & 0x3f;
  let length: number;
  let size: number;
  if (head & 0x40) {
    const first = bytes.readUInt8(at);
    if (first >= 224 && first < 255) throw new RangeError('keys have no partial packets');
    ({ length, size } = subpacketLength(bytes, at));
  } else {
    tag = (head & 0x3c) >> 2;
    size = [1, 2, 4, 0][head & 3] ?? 0;
    length = size === 0 ? bytes.length - at : bytes.readUIntBE(at, size);
  }
  const start = at + size;
  return { tag, body: bytes.subarray(start, start + length), begin, end: start + length };
}

const ARMOUR = /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----/g;

/** Decodes all blocks of a text, one after the other. Skips headers and checksums. */
function dearmour(text: string): Buffer {
  const blocks = [...text.matchAll(ARMOUR)].map(([, inner = '']) => {
    const lines = inner.split(/\r?\n/);
    const blank = lines.findIndex((line) => line.trim() === '');
    return lines.slice(blank + 1).filter((line) => !line.startsWith('='));
  });
  if (blocks.length === 0) throw new TypeError('it is not an OpenPGP key');
  return Buffer.concat(blocks.map((lines) => Buffer.from(lines.join(''), 'base64')));
}

/** Encodes packets as text, the form that apt expects for a file named `.asc`. */
export function armour(packets: Buffer): string {
  const lines = packets.toString('base64').match(/.{1,64}/g) ?? [];
  const checksum = Buffer.alloc(3);
  checksum.writeUIntBE(crc24(packets), 0, 3);
  return [
    '-----BEGIN PGP PUBLIC KEY BLOCK-----',
    '',
    ...lines,
    `=${checksum.toString('base64')}`,
    '-----END PGP PUBLIC KEY BLOCK-----',
    '',
  ].join('\n');
}

function crc24(bytes: Buffer): number {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit += 1) {
      crc <<= 1;
      if (crc & 0x1000000) crc ^= 0x1864cfb;
    }
  }
  return crc & 0xffffff;
}
