/**
 * Creates a UUID without randomness, so that decisions are reproducible: version 8 of RFC 9562, from the time and two
 * numbers whose combination is unique for a scheduler.
 * @param at milliseconds since the epoch
 */
export function uuidOf(at: number, major: number, minor: number): string {
  const time = hex(at, 12);
  const [a, b] = [hex(major, 10), hex(minor, 8)];
  return `${time.slice(0, 8)}-${time.slice(8)}-8${a.slice(0, 3)}-8${a.slice(3, 6)}-${a.slice(6)}${b}`;
}

function hex(value: number, digits: number): string {
  return Math.max(0, Math.floor(value)).toString(16).padStart(digits, '0').slice(-digits);
}
