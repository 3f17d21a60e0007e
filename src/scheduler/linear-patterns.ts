/** Turns V8's linear matcher on, for this process; domain/patterns.ts says why. */

import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
// For the flag `l` of regular expressions.
setFlagsFromString('--enable-experimental-regexp-engine');
