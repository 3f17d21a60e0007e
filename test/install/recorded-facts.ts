/** Facts that record what is read of them, to be held against what a probe looks at. */

import type { Facts } from '../../src/install/facts.ts';
import type { Targets } from '../../src/install/probe-targets.ts';

const SECTIONS = ['files', 'packages', 'users', 'services'] as const;

type Section = (typeof SECTIONS)[number];

export interface Reads {
  /** Paths and names. */
  readonly keys: Readonly<Record<Section, ReadonlySet<string>>>;
  /** Sections of which all was listed. */
  readonly listed: ReadonlySet<Section>;
}

export function recorded(facts: Facts): { readonly facts: Facts; readonly reads: Reads } {
  const keys = { files: new Set<string>(), packages: new Set<string>(), users: new Set<string>() };
  const reads = { keys: { ...keys, services: new Set<string>() }, listed: new Set<Section>() };
  const observe = <T extends object>(section: Section, all: T): T => {
    const note = (key: string | symbol) => {
      // Of JSON.stringify, which lists all.
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

/** The facts as a probe with these targets reports them. */
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

/** What was read and is not looked at: `files /etc/x`. */
export function unseenReads({ keys }: Reads, targets: Targets): string[] {
  return SECTIONS.flatMap((section) =>
    [...keys[section]].filter((key) => !isTarget(targets, section, key)).map((key) => `${section} ${key}`),
  );
}

function isTarget(targets: Targets, section: Section, key: string): boolean {
  if (targets[section]?.includes(key)) return true;
  return section === 'files' && (targets.trees ?? []).some((tree) => `${key}/`.startsWith(`${tree}/`));
}
