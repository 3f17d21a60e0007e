/**
 * Loaded before the scheduler (`node --import`): kills it with SIGKILL at the point named in MESOSUP_TEST_KILL_AT, by
 * its kind and number: `2 after ACKNOWLEDGE`. There are points before and after each write, sync and rename of a file,
 * in the middle of each write to the journal, and before and after each call to the master.
 */

import { writeSync } from 'node:fs';
import promises, { type FileHandle } from 'node:fs/promises';
import http from 'node:http';
import { syncBuiltinESMExports } from 'node:module';

const [, howMany = '0', chosen] = /^(\d+) (.+)$/.exec(process.env.MESOSUP_TEST_KILL_AT ?? '') ?? [];
let left = Number(howMany);

/** True if the process must die here. */
function isHere(name: string): boolean {
  if (name !== chosen) return false;
  left -= 1;
  return left === 0;
}

function die(name: string): void {
  writeSync(2, `killed ${name}\n`);
  process.kill(process.pid, 'SIGKILL');
}

function point(name: string): void {
  if (isHere(name)) die(name);
}

/** Adds points before and after a method. */
function wrap<T extends object>(
  target: T,
  name: keyof T & string,
  midst?: (self: T, args: unknown[]) => unknown,
) {
  const usual = target[name] as (...args: unknown[]) => Promise<unknown>;
  const wrapped = async function (this: T, ...args: unknown[]) {
    point(`before ${name}`);
    // Writes only a half if the process dies here.
    if (midst && isHere(`in the midst of ${name}`)) {
      await midst(this, args);
      die(`in the midst of ${name}`);
    }
    const result = await usual.apply(this, args);
    point(`after ${name}`);
    return result;
  };
  target[name] = wrapped as T[keyof T & string];
}

const handle = await promises.open('/dev/null');
const prototype = Object.getPrototypeOf(handle) as FileHandle;
await handle.close();
const write: (this: FileHandle, bytes: Uint8Array, from: number, howMany: number) => Promise<unknown> =
  prototype.write;
wrap(prototype, 'appendFile', (self, [data]) => {
  const bytes = Buffer.from(data as Uint8Array);
  return write.call(self, bytes, 0, Math.floor(bytes.length / 2));
});
wrap(prototype, 'datasync');
wrap(prototype, 'sync');
wrap(prototype, 'writeFile');
wrap(promises, 'rename');

const request = http.request;
http.request = ((...args: Parameters<typeof request>) => {
  const one = request(...args);
  if (one.path.endsWith('/api/v1/scheduler')) {
    const end = one.end.bind(one);
    // The body contains the type of the call.
    one.end = ((body?: unknown) => {
      const call = /"type":"(\w+)"/.exec(String(body))?.[1] ?? 'a call';
      point(`before ${call}`);
      one.once('finish', () => point(`after ${call}`));
      return end(body as string);
    }) as typeof one.end;
  }
  return one;
}) as typeof request;
syncBuiltinESMExports();
