/** Enables V8's linear-time regular expressions for this process; domain/patterns.ts explains why. */

import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');
// Enables the flag `l` of regular expressions.
setFlagsFromString('--enable-experimental-regexp-engine');
