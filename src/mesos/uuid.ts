/**
 * The UUIDs of status updates in Mesos' JSON: base64 of the 16 raw bytes. An agent refuses bytes that are not a UUID of
 * version 1–5 (400 "Not a valid UUID"), and the update is lost.
 */

/**
 * Makes a version 4 UUID in base64.
 * @param random 16 random bytes
 */
export function uuidBase64(random: Uint8Array): string {
  if (random.length !== 16) throw new RangeError(`a UUID is made from 16 random bytes, got ${random.length}`);
  const bytes = Buffer.from(random);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('base64');
}

/** True for base64 of 16 bytes with version 1–5. Mesos checks nothing else. */
export function isUuidBase64(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== 16 || bytes.toString('base64') !== text) return false;
  const version = bytes.readUInt8(6) >> 4;
  return version >= 1 && version <= 5;
}
