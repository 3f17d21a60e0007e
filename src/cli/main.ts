/**
 * The entry point of the program, `<installation>/lib/cli.js`. What needs no command is done here, without the time to
 * load oclif.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { helpFile, helpText } from './reference/help-page.ts';
import { helpLayout, helpRequest } from './usage/help-request.ts';

const root = import.meta.dirname;
const read = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
const pjson = read(path.join(root, '../package.json'));
// oclif's format.
const version = `${pjson.name}/${pjson.version} ${process.platform}-${process.arch} node-${process.version}`;
const args = process.argv.slice(2);
const [first, second] = args;
const helpWords = helpRequest(args);
const page = helpWords && path.join(root, helpFile(helpWords));

if (first === '--version' || ((first === 'version' || first === '-v') && second === undefined)) {
  process.stdout.write(`${version}\n`);
} else if (page !== undefined && existsSync(page)) {
  // Nobody reads the output any more, as with "| head".
  process.stdout.once('error', () => process.exit(1));
  process.stdout.write(helpText(read(page), helpLayout(process.stdout), version));
} else {
  const { runCommand } = await import('./run-command.ts');
  runCommand(root, pjson, args);
}
