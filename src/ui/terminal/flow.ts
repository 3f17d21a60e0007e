/**
 * Holds back output that comes faster than the terminal draws it, such as that of `yes`: a browser reads a WebSocket as
 * fast as it can, and keeps in memory what the page has not taken.
 */

/** Bytes that are not drawn yet, above which the page asks for a pause, and below which for more. */
const HIGH = 512 * 1024;
const LOW = 64 * 1024;
/** The scheduler ends a pause after 2 s. */
const REPEAT_MS = 1000;

export interface Flow {
  /** Output has come. */
  begins(bytes: number): void;
  /** It is drawn. */
  ends(bytes: number): void;
}

export function createFlow(send: (type: 'pause' | 'resume') => void, now: () => number): Flow {
  let waiting = 0;
  let pausedAt: number | undefined;
  return {
    begins: (bytes) => {
      waiting += bytes;
      const isPaused = pausedAt !== undefined && now() - pausedAt < REPEAT_MS;
      if (waiting < HIGH || isPaused) return;
      pausedAt = now();
      send('pause');
    },
    ends: (bytes) => {
      waiting -= bytes;
      if (pausedAt === undefined || waiting > LOW) return;
      pausedAt = undefined;
      send('resume');
    },
  };
}
