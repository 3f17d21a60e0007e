/**
 * Computes the CRC-32 of joined pieces from the CRC-32 of each. Source: `crc32_combine` of zlib. Polynomials over GF(2)
 * modulo that of CRC-32, with the coefficient of x^0 in the highest bit.
 */

const POLYNOMIAL = 0xedb88320;
const ONE = 1 << 31;

/** `x^(8 * 2^n)`: squares of the polynomial for one byte. */
const POWERS: readonly number[] = (() => {
  let power = ONE >>> 8;
  return Array.from({ length: 32 }, () => {
    const here = power;
    power = multiply(power, power);
    return here;
  });
})();

function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = ONE; bit !== 0; bit >>>= 1) {
    if ((a & bit) !== 0) product ^= shifted;
    shifted = (shifted & 1) !== 0 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product;
}

/** @returns the operator that `joinCrcs` needs for a second piece of this length */
export function crcShift(bytes: number): number {
  let shift = ONE;
  for (let i = 0; i < POWERS.length; i += 1) {
    if (((bytes / 2 ** i) & 1) !== 0) shift = multiply(POWERS[i] as number, shift);
  }
  return shift;
}

/** @param shift of the second piece's length */
export function joinCrcs(first: number, second: number, shift: number): number {
  return (multiply(shift, first) ^ second) >>> 0;
}
