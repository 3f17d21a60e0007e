import type { CommandReference, FlagReference } from './reference.ts';

/** Groups of flags that several commands share and the docs show once. */
export interface FlagGroups {
  /** The flags of a group, by its name. */
  readonly shared: ReadonlyMap<string, readonly FlagReference[]>;
  /** The names of the groups of which a command has every flag. */
  groupsOf(command: CommandReference): string[];
  /** The flags of a command outside these groups. */
  ownOf(command: CommandReference): FlagReference[];
}

/** A group is shared if at least two commands have every flag of it. */
export function flagGroups(commands: readonly CommandReference[]): FlagGroups {
  const groups = new Map<string, Map<string, FlagReference>>();
  for (const flag of commands.flatMap(({ flags }) => flags)) {
    if (flag.group === undefined) continue;
    const group = groups.get(flag.group) ?? new Map<string, FlagReference>();
    groups.set(flag.group, group.set(flag.name, flag));
  }
  const hasWholeGroup = (command: CommandReference, group: string) => {
    const names = command.flags.filter((flag) => flag.group === group).map(({ name }) => name);
    return names.length > 0 && names.length === groups.get(group)?.size;
  };
  const shared = new Map(
    [...groups]
      .filter(([group]) => commands.filter((command) => hasWholeGroup(command, group)).length > 1)
      .map(([group, flags]) => [group, [...flags.values()]] as const),
  );
  const groupsOf = (command: CommandReference) =>
    [...shared.keys()].filter((group) => hasWholeGroup(command, group));
  return {
    shared,
    groupsOf,
    ownOf: (command) => {
      const wholeGroups = groupsOf(command);
      return command.flags.filter(({ group }) => group === undefined || !wholeGroups.includes(group));
    },
  };
}
