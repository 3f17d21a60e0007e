/** Lines of the logs of services: their shape, and how they are read from the output of `service-logs.sh`. */

import { z } from 'zod';
import { parseJson } from '../../json.ts';

export interface ServiceLine {
  /** The service without `.service`. */
  readonly service: string;
  readonly text: string;
  /** In microseconds since 1970, by the host's clock; undefined for Upstart's files, which have no times. */
  readonly at?: number;
  /** The journal's name of the line. */
  readonly cursor?: string;
}

/** journalctl(1), "json": all values are strings; a message that is not UTF-8 text is an array of bytes. */
const entry = z.object({
  __REALTIME_TIMESTAMP: z.string().regex(/^\d{1,16}$/),
  __CURSOR: z.string(),
  MESSAGE: z.union([z.string(), z.array(z.number()), z.null()]).optional(),
  _SYSTEMD_UNIT: z.string().optional(),
  /** Of messages by systemd itself about a unit. */
  UNIT: z.string().optional(),
});

/** @returns the host's time in seconds at the beginning of a followed log, 0 for Upstart's files; undefined for other lines */
export function parseBeginning(line: string): number | undefined {
  const [, seconds] = /^\{"now":(\d{1,12})\}$/.exec(line) ?? [];
  return seconds === undefined ? undefined : Number(seconds);
}

/** @returns undefined for a line that is neither an entry of the journal nor one of Upstart's */
export function parseServiceLine(line: string): ServiceLine | undefined {
  const found = line.startsWith('{') ? entry.safeParse(parseJson(line)).data : undefined;
  if (found === undefined) {
    const [, service, text] = /^(\S+) (.*)$/.exec(line) ?? [];
    return service === undefined ? undefined : { service, text: text ?? '' };
  }
  const { MESSAGE, UNIT, _SYSTEMD_UNIT } = found;
  const unit = UNIT ?? _SYSTEMD_UNIT ?? '';
  return {
    service: unit.replace(/\.service$/, ''),
    text: textOf(MESSAGE),
    at: Number(found.__REALTIME_TIMESTAMP),
    cursor: found.__CURSOR,
  };
}

/** A message that is too large for journalctl is null. */
function textOf(message: string | readonly number[] | null | undefined): string {
  if (Array.isArray(message)) return Buffer.from(message).toString('utf8');
  return typeof message === 'string' ? message : '(a message that the journal does not show)';
}
