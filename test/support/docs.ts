/** Reads the commands in the README and docs, for the tests that run them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** Returns the commands in the `sh` blocks of a page, in order. Joins continued lines and removes comments. */
export function docCommands(page: string): string[] {
  const text = readFileSync(path.join(root, page), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');
  return blocks
    .flatMap((block) => block.replaceAll(/ *\\\n */g, ' ').split('\n'))
    .map((line) => line.replace(/(^| {2,})#.*$/, '').trimEnd())
    .filter((line) => line !== '');
}

/**
 * Finds the command of a page that equals `start` or begins with it, for a test that runs it. `test/e2e/docs.test.ts`
 * checks that every command has such a test.
 * @throws Error if no or several commands begin with it
 */
export function docCommand(page: string, start: string): string {
  const commands = docCommands(page);
  if (commands.includes(start)) return start;
  const found = commands.filter((command) => command.startsWith(start));
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw new Error(`${found.length} commands of ${page} start with ${JSON.stringify(start)}`);
  }
  return only;
}
