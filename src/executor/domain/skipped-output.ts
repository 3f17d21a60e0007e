/**
 * Finds places where Docker's stream of a log may lack records. Docker 20.10 sends the file that it writes; if it reads so
 * slowly that this file is replaced twice in the meantime, it continues with the newest and says nothing of the one in
 * between. A new request from the last record on gets what Docker still has, and shows if something is missing. Pure.
 */

/** What Docker adds to the content of a record in its log file, in bytes. */
const RECORD_OVERHEAD = 90;
/** How much faster than before a container may have written in the time without records. */
const SPEED_UP = 20;
/** Delay of a record that shows that Docker does not keep up, in milliseconds. */
const LAG_MS = 20;

export class SkipDetector {
  readonly #fileBytes: number;
  readonly #from: string;
  /** The last record: its text, and its time in milliseconds since the epoch. */
  #last: { time: string; ms: number; isLate: boolean } | undefined;
  /** Bytes in the current second of the records' times, and in the one before. */
  #second = '';
  #bytes = 0;
  #bytesBefore = 0;

  /**
   * @param fileBytes size at which Docker begins a new file; infinite if it does not
   * @param from time of the last record before the request. The stream begins with the files that Docker has, so that
   *   nothing is skipped in front of its first new record
   */
  constructor(fileBytes: number, from: string) {
    this.#fileBytes = fileBytes;
    this.#from = from;
  }

  /** @param now in milliseconds since the epoch */
  isSuspect(time: string, length: number, now: number): boolean {
    if (this.#fileBytes === Number.POSITIVE_INFINITY || time <= this.#from) return false;
    const ms = milliseconds(time);
    const last = this.#last;
    const isLate = now - ms >= LAG_MS;
    this.#last = { time, ms, isLate };
    const bytesPerSecond = Math.max(this.#bytes, this.#bytesBefore);
    this.#count(time, length);
    if (!last || !(isLate || last.isLate)) return false;
    return ((ms - last.ms) / 1000) * bytesPerSecond * SPEED_UP >= this.#fileBytes;
  }

  #count(time: string, length: number): void {
    const second = time.slice(0, 19);
    if (second !== this.#second) {
      this.#second = second;
      this.#bytesBefore = this.#bytes;
      this.#bytes = 0;
    }
    this.#bytes += length + RECORD_OVERHEAD;
  }
}

/** Converts the time of a record. */
function milliseconds(time: string): number {
  return Date.parse(`${time.slice(0, 23)}Z`);
}

/**
 * Returns the size at which Docker begins a new file of a container's log, in bytes; infinite if it does not.
 * @param config `HostConfig.LogConfig` of Docker
 */
export function logFileBytes(
  config: { Type: string; Config?: Record<string, string> | null } | undefined,
): number {
  if (config?.Type !== 'json-file' && config?.Type !== 'local') return Number.POSITIVE_INFINITY;
  const size = config.Config?.['max-size'] ?? (config.Type === 'local' ? '20m' : '-1');
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgtp]?)i?b?$/i.exec(size) ?? [];
  const bytes = Number(number) * 1024 ** (unit === '' ? 0 : 'kmgtp'.indexOf(unit.toLowerCase()) + 1);
  return bytes > 0 ? bytes : Number.POSITIVE_INFINITY;
}
