/** Builds oclif's manifest, which describes the commands, so that they need not be loaded. */
import { type Interfaces, Plugin } from '@oclif/core';

/**
 * Loads every built command once.
 * @param lib the directory of the bundles, with `commands/`
 * @param pjson the package.json of the build
 * @throws Error if a command can't be loaded
 */
export async function commandManifest(lib: string, pjson: Interfaces.PJSON): Promise<Interfaces.Manifest> {
  const plugin = new Plugin({
    root: lib,
    pjson,
    isRoot: true,
    ignoreManifest: true,
    errorOnManifestCreate: true,
  });
  await plugin.load();
  const commands = Object.entries(plugin.manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1));
  return { commands: Object.fromEntries(commands), version: plugin.version };
}
