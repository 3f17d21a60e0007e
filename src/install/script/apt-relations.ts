/** Finds the package of a plan that causes a change, and the package that a removed one conflicts with. */

/** Relations of a package that apt would install or remove: names without versions. */
interface Relations {
  readonly needs: readonly string[];
  readonly excludes: readonly string[];
  /** Including its own name. */
  readonly provides: readonly string[];
}

export type RelationsByName = ReadonlyMap<string, Relations>;

/** Parses paragraphs with the fields `Package`, `Depends`, `Pre-Depends`, `Conflicts`, `Breaks` and `Provides`. */
export function parseRelations(text: string): RelationsByName {
  const paragraphs = text.split(/\n\n+/).map((paragraph) => {
    const fields = new Map(
      paragraph.split('\n').map((line): [string, string] => {
        const colon = line.indexOf(': ');
        return [line.slice(0, colon), line.slice(colon + 2)];
      }),
    );
    const names = (...keys: readonly string[]) =>
      keys.flatMap((key) =>
        (fields.get(key) ?? '')
          .split(/[,|]/)
          .flatMap((one) => /^\s*([a-z0-9][a-z0-9.+-]*)/.exec(one)?.[1] ?? []),
      );
    const name = fields.get('Package') ?? '';
    const relations: Relations = {
      needs: names('Depends', 'Pre-Depends'),
      excludes: names('Conflicts', 'Breaks'),
      provides: [name, ...names('Provides')],
    };
    return [name, relations] as const;
  });
  return new Map(paragraphs.filter(([name]) => name !== ''));
}

/** Returns, by installed package, the first of the wanted packages that needs it directly or indirectly. */
export function findCauses(wanted: readonly string[], relations: RelationsByName): Map<string, string> {
  const found = new Map<string, string>();
  for (const root of wanted) {
    const open = [root];
    for (let name = open.pop(); name !== undefined; name = open.pop()) {
      if (found.has(name)) continue;
      found.set(name, root);
      const needs = new Set(relations.get(name)?.needs);
      for (const [other, { provides }] of relations)
        if (provides.some((one) => needs.has(one))) open.push(other);
    }
  }
  return found;
}

/** Finds the package among `others` that conflicts with `name`. */
export function conflictOf(
  name: string,
  others: readonly string[],
  relations: RelationsByName,
): string | undefined {
  const own = relations.get(name);
  if (own === undefined) return undefined;
  return others.find((other) => {
    const one = relations.get(other);
    return (
      one !== undefined &&
      (one.excludes.some((word) => own.provides.includes(word)) ||
        own.excludes.some((word) => one.provides.includes(word)))
    );
  });
}
