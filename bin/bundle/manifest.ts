/** Builds oclif's manifest, which describes the commands, so that they need not be loaded. */
import { type Command, Config, type Interfaces, Plugin } from '@oclif/core';

interface Commands {
  /** Knows the commands without a manifest. */
  readonly config: Config;
  readonly manifest: Interfaces.Manifest;
}

/**
 * Loads every built command once.
 * @param lib the directory of the bundles, with `commands/`
 * @param pjson the package.json of the build
 * @throws Error if a command can't be loaded
 */
export async function loadCommands(lib: string, pjson: Interfaces.PJSON): Promise<Commands> {
  const plugin = new Plugin({
    root: lib,
    pjson,
    isRoot: true,
    ignoreManifest: true,
    errorOnManifestCreate: true,
  });
  await plugin.load();
  const commands = Object.entries(plugin.manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1));
  const manifest = { commands: Object.fromEntries(commands), version: plugin.version };
  const plugins = new Map([[plugin.name, plugin]]);
  return { config: await Config.load({ root: lib, pjson, plugins }), manifest };
}

/** @returns the part with which oclif finds and runs a command. Each start reads it: the whole takes 2 ms. */
export function startManifest({ commands, version }: Interfaces.Manifest): Interfaces.Manifest {
  const parts = Object.entries(commands).map(([id, command]): [string, Command.Cached] => {
    const args = Object.entries(command.args).map(([name]) => [name, { name }]);
    const { aliases, hiddenAliases, hidden, strict, isESM, relativePath, pluginName } = command;
    return [
      id,
      {
        id,
        aliases,
        hiddenAliases,
        hidden,
        strict,
        isESM,
        relativePath,
        pluginName,
        args: Object.fromEntries(args),
        flags: {},
      },
    ];
  });
  return { commands: Object.fromEntries(parts), version };
}
