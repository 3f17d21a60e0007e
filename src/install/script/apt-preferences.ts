/** Parses apt's preferences (apt_preferences(5)), to find the file that excludes a package. */

export interface Pin {
  readonly file: string;
  /** Names, shell patterns or `/regular expressions/`. */
  readonly packages: readonly string[];
  readonly priority: number;
}

export function parsePreferences(file: string, text: string): Pin[] {
  return text.split(/\n[ \t]*\n/).flatMap((stanza) => {
    const fields = new Map<string, string>();
    let last = '';
    for (const line of stanza.split('\n')) {
      if (line.startsWith('#')) continue;
      const [, key, value] = /^([A-Za-z-]+):[ \t]*(.*)$/.exec(line) ?? [];
      if (key !== undefined) last = key.toLowerCase();
      if (last !== '')
        fields.set(last, key === undefined ? `${fields.get(last)} ${line.trim()}` : (value ?? ''));
    }
    const packages = (fields.get('package') ?? '').split(/\s+/).filter(Boolean);
    const priority = Number.parseInt(fields.get('pin-priority') ?? '', 10);
    return packages.length === 0 || Number.isNaN(priority) ? [] : [{ file, packages, priority }];
  });
}

/** Returns the pins that match the package; pins for all packages come last. */
export function pinsOf(name: string, pins: readonly Pin[]): Pin[] {
  const general = ({ packages }: Pin) => packages.includes('*');
  const matching = pins.filter(({ packages }) => packages.some((pattern) => matches(pattern, name)));
  return [...matching.filter((pin) => !general(pin)), ...matching.filter(general)];
}

function matches(written: string, name: string): boolean {
  const pattern = written.replace(/:[a-z0-9-]+$/, '');
  const expression = /^\/(.+)\/$/.exec(pattern)?.[1];
  try {
    if (expression !== undefined) return new RegExp(expression).test(name);
    const glob = pattern
      .replace(/[.+^${}()|\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    return new RegExp(`^${glob}$`).test(name);
  } catch {
    return false;
  }
}
