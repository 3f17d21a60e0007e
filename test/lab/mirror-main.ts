/**
 * The mirror as a separate process: `mirror-main.ts ADDRESS OPTIONS-AS-JSON [--until-stdin-ends]`. Its first line is
 * the port. With the last flag it ends when its parent process ends for any reason.
 */

import type { AddressInfo } from 'node:net';
import { createMirror, type MirrorOptions } from './mirror.ts';

const [address, options, untilStdinEnds] = process.argv.slice(2);
const server = createMirror(JSON.parse(options ?? '') as MirrorOptions);
server.listen(0, address, () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
if (untilStdinEnds) process.stdin.on('end', () => process.exit(0)).resume();
