/** ProxyCommand: a program of this machine whose input and output are the connection, run as OpenSSH does. */

import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { HostError } from '../host.ts';
import type { ConnectionPlan } from './route.ts';

/** So much of what the program writes to standard error is kept, in bytes. */
const MAX_OUTPUT = 4096;
/** How long a program may take to end once its output has ended, in milliseconds. */
const MAX_ENDING = 1000;

interface Proxy {
  /** The program ends with it. */
  readonly sock: Duplex;
  /** The error by which the program has ended, or why it could not be started. */
  failure(): Promise<HostError | null>;
}

/** Null where the plan has none. */
export function startProxy(plan: ConnectionPlan): Proxy | null {
  if (!plan.proxyCommand) return null;
  const { command, shell, file, line } = plan.proxyCommand;
  const child = spawn(shell, ['-c', `exec ${command}`], { stdio: 'pipe' });
  let output = Buffer.alloc(0);
  child.stderr.on('data', (chunk: Buffer) => {
    output = Buffer.concat([output, chunk]).subarray(-MAX_OUTPUT);
  });
  // The types know this of the web's streams alone.
  const streams = { readable: child.stdout, writable: child.stdin } as unknown as NodeJS.ReadWriteStream;
  const sock = Duplex.from(streams);
  sock.on('error', () => {}); // told by its close
  sock.once('close', () => child.kill('SIGHUP'));
  const error = (what: string, cause?: Error) => {
    const text = output
      .toString()
      .replaceAll(/\p{Cc}+/gu, ' ')
      .trim();
    return new HostError(
      plan.host,
      'unreachable',
      `${plan.host}: ProxyCommand (${file}, line ${line}) ${what}${text === '' ? '' : `; it wrote: ${text}`}`,
      `Change ${file}, line ${line}, or name a bastion for the host.`,
      cause,
    );
  };
  const { promise: ended, resolve } = Promise.withResolvers<HostError | null>();
  const end = (failure: HostError | null) => {
    resolve(failure);
    sock.destroy();
  };
  child.once('error', (cause) => end(error(`could not be started: ${cause.message}`, cause)));
  child.once('close', (code, signal) =>
    end(code === 0 ? null : error(`ended with ${signal ?? `code ${code}`}`)),
  );
  return {
    sock,
    failure: () => Promise.race([ended, wait(MAX_ENDING, null)]),
  };
}
