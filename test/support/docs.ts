/** The commands that the README and docs show, for the tests that run them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../..');

/** The commands in the `sh` blocks of a page, in order; one over several lines is one, and comments are gone. */
export function docCommands(page: string): string[] {
  const text = readFileSync(path.join(root, page), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');
  return blocks
    .flatMap((block) => block.replaceAll(/ *\\\n */g, ' ').split('\n'))
    .map((line) => line.replace(/(^| {2,})#.*$/, '').trimEnd())
    .filter((line) => line !== '');
}

/**
 * The command of a page that is so, or the one that starts so, for a test that runs it; `test/e2e/docs.test.ts` looks that no command of
 * any page goes without such a test.
 * @throws Error when there is none, or several start so
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
