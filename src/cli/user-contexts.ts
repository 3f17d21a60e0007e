import { homedir } from 'node:os';
import { Contexts } from '../context/edge/contexts.ts';

/** @returns the contexts of the user who runs this program */
export function userContexts(): Contexts {
  return new Contexts({ environment: process.env, home: homedir() });
}
