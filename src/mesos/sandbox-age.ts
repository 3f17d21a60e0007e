/**
 * Returns the age at which the directory of an ended task is removed, in milliseconds: the fuller the disk, the less.
 * Source: `Slave::age` in src/slave/slave.cpp of Mesos.
 *
 * @param delayMs the age on an empty disk
 * @param headroom the share of the disk that is to stay free, 0 to 1
 * @param usage the share of the disk that is in use, 0 to 1
 */
export function maxSandboxAge(delayMs: number, headroom: number, usage: number): number {
  return delayMs * Math.max(0, 1 - headroom - usage);
}
