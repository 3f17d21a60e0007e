/** Runs a ProxyCommand like OpenSSH: a local program whose input and output are the connection. */

import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { HostError } from '../host.ts';
import type { ConnectionPlan } from './route.ts';

/** Number of last bytes of standard error that are kept. */
const MAX_OUTPUT = 4096;
/** Milliseconds that a program may take to exit after its output has ended. */
const MAX_ENDING = 1000;

interface Proxy {
  /** Closing it ends the program. */
  readonly sock: Duplex;
  /** The error of a program that failed or could not be started. */
  failure(): Promise<HostError | null>;
}

/** Returns null for a plan without ProxyCommand. */
export function startProxy(plan: ConnectionPlan): Proxy | null {
  if (!plan.proxyCommand) return null;
  const { command, shell, file, line } = plan.proxyCommand;
  const child = spawn(shell, ['-c', `exec ${command}`], { stdio: 'pipe' });
  let output = Buffer.alloc(0);
  child.stderr.on('data', (chunk: Buffer) => {
    output = Buffer.concat([output, chunk]).subarray(-MAX_OUTPUT);
  });
  // `Duplex.from` accepts Node's streams too, but its types list only web streams.
  const streams = { readable: child.stdout, writable: child.stdin } as unknown as NodeJS.ReadWriteStream;
  const sock = Duplex.from(streams);
  sock.on('error', () => {}); // the handler of `close` does the work
  sock.once('close', () => child.kill('SIGHUP'));
  const error = (what: string, cause?: Error) => {
    const text = output
      .toString()
      .replaceAll(/\p{Cc}+/gu, ' ')
      .trim();
    return new HostError(
      plan.host,
      'unreachable',
      `${plan.host}: ProxyCommand (${file}, line ${line}) ${what}${text === '' ? '' : `; its output: ${text}`}`,
      `Correct ${file}, line ${line}, or set a bastion for the host.`,
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
