/** `npm run picture`: runs the demo in a terminal and writes the screen to docs/demo.svg. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DEMO, DEMO_SIZE } from './picture/demo.ts';
import { terminalSvg } from './picture/svg.ts';
import { shownBy } from './picture/terminal.ts';

const root = path.resolve(import.meta.dirname, '..');
const lines = await shownBy(`cd ${root}; ${DEMO}`, DEMO_SIZE);
const prompt = [{ text: `$ ${DEMO}`, bold: true, dim: false }];
await writeFile(path.join(root, 'docs/demo.svg'), terminalSvg([prompt, ...lines], DEMO_SIZE.columns));
