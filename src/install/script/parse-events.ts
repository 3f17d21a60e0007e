/** Parses events of a run. */

import { z } from 'zod';
import { isJson, parseJson } from '../../json.ts';
import type { RunEvent } from '../run-events.ts';

const at = z.number();
const item = z.number();

const runEvent = z.discriminatedUnion('event', [
  z.object({ event: z.literal('begin'), run: z.string(), items: z.number(), at }),
  z.object({ event: z.literal('start'), item, at }),
  z.object({ event: z.literal('wait'), item, reason: z.string(), at }),
  z.object({ event: z.literal('progress'), item, percent: z.number(), text: z.string(), at }),
  z.object({ event: z.literal('log'), item, line: z.string() }),
  z.object({ event: z.literal('done'), item, at }),
  z.object({
    event: z.literal('failed'),
    item,
    failure: z.string(),
    message: z.string(),
    remedy: z.string(),
    at,
  }),
  z.object({ event: z.literal('left'), accounts: z.string() }),
  z.object({ event: z.literal('unrestored'), packages: z.string() }),
  z.object({ event: z.literal('end'), ok: z.boolean(), at }),
]);

/** Undefined for a line that is not an event, for example one cut by a full disk. */
export function parseRunEvent(line: string): RunEvent | undefined {
  return runEvent.safeParse(withRemedy(parseJson(line))).data;
}

/** Release 0.1.0 wrote `mend` for `remedy`, and its runs may still be in progress on a host. */
function withRemedy(value: unknown): unknown {
  if (!isJson(value) || !('mend' in value)) return value;
  const { mend, ...event } = value;
  return { remedy: mend, ...event };
}
