/** Facts that record reads, to compare them with the targets of a probe. */

import type { Facts } from '../../src/install/facts.ts';
import type { Targets } from '../../src/install/probe-targets.ts';

const SECTIONS = ['files', 'packages', 'users', 'services'] as const;

type Section = (typeof SECTIONS)[number];

export interface Reads {
  /** Paths and names. */
  readonly keys: Readonly<Record<Section, ReadonlySet<string>>>;
  /** Sections whose keys were listed. */
  readonly listed: ReadonlySet<Section>;
}

export function recorded(facts: Facts): { readonly facts: Facts; readonly reads: Reads } {
  const keys = { files: new Set<string>(), packages: new Set<string>(), users: new Set<string>() };
  const reads = { keys: { ...keys, services: new Set<string>() }, listed: new Set<Section>() };
  const observe = <T extends object>(section: Section, all: T): T => {
    const note = (key: string | symbol) => {
      // JSON.stringify lists all keys.
      if (typeof key === 'string' && key !== 'toJSON') reads.keys[section].add(key);
    };
    return new Proxy(all, {
      get(target, key) {
        note(key);
        return Reflect.get(target, key);
      },
      has(target, key) {
        note(key);
        return Reflect.has(target, key);
      },
      ownKeys(target) {
        reads.listed.add(section);
        return Reflect.ownKeys(target);
      },
    });
  };
  const { files, packages, users, services } = facts;
  return {
    facts: {
      ...facts,
      files: observe('files', files),
      packages: observe('packages', packages),
      users: observe('users', users),
      services: observe('services', services),
    },
    reads,
  };
}

/** Returns the facts that a probe with these targets reports. */
export function reported(facts: Facts, targets: Targets): Facts {
  const known = <T>(section: Section, all: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(all).filter(([key]) => isTarget(targets, section, key)));
  return {
    ...facts,
    files: known('files', facts.files),
    packages: known('packages', facts.packages),
    users: known('users', facts.users),
    services: known('services', facts.services),
  };
}

/** Lists reads that are not targets: `files /etc/x`. */
export function unseenReads({ keys }: Reads, targets: Targets): string[] {
  return SECTIONS.flatMap((section) =>
    [...keys[section]].filter((key) => !isTarget(targets, section, key)).map((key) => `${section} ${key}`),
  );
}

function isTarget(targets: Targets, section: Section, key: string): boolean {
  if (targets[section]?.includes(key)) return true;
  return section === 'files' && (targets.trees ?? []).some((tree) => `${key}/`.startsWith(`${tree}/`));
}
