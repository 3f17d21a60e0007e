/**
 * Many listeners on `/v2/events`, in a process of their own. Arguments: the port of the scheduler, the number of
 * listeners. Reports for each change of a task's health when the first, the middle and the last listener had its event,
 * in nanoseconds of the machine's monotonic clock.
 */

import { once } from 'node:events';
import { connect } from 'node:net';

const [port = 0, listeners = 0] = process.argv.slice(2).map(Number);
const MARK = 'event: health_status_changed_event';
process.once('disconnect', () => process.exit());

/** Arrivals of each event by its number. */
const arrivals = new Map<number, bigint[]>();
const arrive = (event: number): void => {
  const times = arrivals.get(event) ?? [];
  arrivals.set(event, times);
  times.push(process.hrtime.bigint());
  if (times.length < listeners) return;
  arrivals.delete(event);
  const [first, middle, last] = [0, Math.floor(times.length / 2), times.length - 1].map((at) =>
    String(times[at]),
  );
  process.send?.({ first, middle, last });
};

for (let i = 0; i < listeners; i += 1) {
  const socket = connect(port, '127.0.0.1');
  let events = 0;
  let rest = '';
  socket.on('data', (chunk) => {
    const texts = (rest + chunk.toString('latin1')).split(MARK);
    rest = texts.at(-1)?.slice(-MARK.length) ?? '';
    for (let seen = 1; seen < texts.length; seen += 1) {
      arrive(events);
      events += 1;
    }
  });
  socket.once('close', () => process.exit(1));
  socket.write('GET /v2/events HTTP/1.1\r\nHost: bench\r\n\r\n');
  await once(socket, 'data');
}
process.send?.('ready');
