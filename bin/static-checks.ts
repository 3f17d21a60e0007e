/** The checks that run nothing, by name: each a command of node_modules/.bin or this checkout, with its arguments. */
export const staticChecks: Readonly<Record<string, readonly string[]>> = {
  types: ['tsc'],
  'types of the page': ['tsc', '-p', 'src/ui'],
  lint: ['biome', 'check', '.'],
  'import rules': ['depcruise', 'src'],
  'dead code': ['knip'],
  shell: ['bin/check-shell.sh'],
};
