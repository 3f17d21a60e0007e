import { cpus, release } from 'node:os';

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Describes the machine of a measurement: `2 × AMD EPYC, Linux 6.18, Node v26.10.0`. */
export function machine(): string {
  return `${cpus().length} × ${cpus()[0]?.model}, Linux ${release()}, Node ${process.version}`;
}
