/** `npm run picture`: runs the demo, writes its screen to docs/demo.svg, and pictures of the web page to docs/ui-*.png. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DEMO, DEMO_SIZE } from './picture/demo.ts';
import { takePagePictures } from './picture/page.ts';
import { terminalSvg } from './picture/svg.ts';
import { shownBy } from './picture/terminal.ts';

const root = path.resolve(import.meta.dirname, '..');
const lines = await shownBy(`cd ${root}; ${DEMO}`, DEMO_SIZE);
const prompt = [{ text: `$ ${DEMO}`, bold: true, dim: false }];
await writeFile(path.join(root, 'docs/demo.svg'), terminalSvg([prompt, ...lines], DEMO_SIZE.columns));
await takePagePictures(root, path.join(root, 'docs'));
