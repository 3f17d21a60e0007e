import type { Pin } from '../package-file.ts';

/** Returns the value of PINS, which `templates/host/apt.sh` and `apt-hook.sh` read: `NAME VERSION SHA256`, one a line. */
export function pinLines(pins: readonly Pin[] = []): string[] {
  return pins.map(({ name, version, sha256 }) => `${name} ${version} ${sha256}`);
}
