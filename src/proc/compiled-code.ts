import { flushCompileCache } from 'node:module';

/** A program has compiled what its start needs by then. */
const AFTER_MS = 1000;

/**
 * Stores the compiled code of this program in the directory NODE_COMPILE_CACHE, if that is set, for its next start. Node
 * does so only when a program ends by itself, and a program that runs for long is often killed.
 */
export function keepCompiledCode(): void {
  setTimeout(flushCompileCache, AFTER_MS).unref();
}
