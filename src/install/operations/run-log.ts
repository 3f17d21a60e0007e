/** What `--verbose` keeps: every script that ran on a host and what it wrote, without the secrets. */

import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Host, RunOptions, RunResult } from '../../hosts/host.ts';

const DOTS = '••••••••';

export class RunLog {
  readonly file: string;
  readonly #stream: WriteStream;
  readonly #hidden = new Set<string>();

  /** @param file is made for its owner alone; one that is there is an error */
  constructor(file: string) {
    this.file = file;
    this.#stream = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  }

  /** From now on dots stand for these, also within text in base64. */
  hide(secrets: readonly string[]): void {
    for (const secret of secrets) {
      if (secret !== '') for (const form of [secret, ...base64Forms(secret)]) this.#hidden.add(form);
    }
  }

  write(host: string, text: string): void {
    let shown = text;
    for (const secret of this.#hidden) shown = shown.replaceAll(secret, DOTS);
    const at = new Date().toISOString();
    for (const line of shown.split('\n')) this.#stream.write(`${at} ${host}: ${line}\n`);
  }

  async close(): Promise<void> {
    this.#stream.end();
    await finished(this.#stream);
  }
}

/**
 * How a text looks within base64 of something longer, at each of the three places it can begin in a group; without
 * the characters at the ends that it shares with its neighbours.
 */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].map((shift) => {
    const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return whole.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  });
}

/** The same host, with all it does written down. */
export function loggedHost(host: Host, log: RunLog): Host {
  return {
    name: host.name,
    async run(script: string, options: RunOptions = {}): Promise<RunResult> {
      log.write(host.name, `runs:\n${script}`);
      const { onLine } = options;
      const began = performance.now();
      try {
        const result = await host.run(script, {
          ...options,
          ...(onLine && {
            onLine: (line: string) => {
              log.write(host.name, `| ${line}`);
              onLine(line);
            },
          }),
        });
        for (const text of [result.stdout, result.stderr]) if (text !== '') log.write(host.name, text);
        const took = ((performance.now() - began) / 1000).toFixed(2);
        log.write(host.name, `ended with ${result.code ?? result.signal} after ${took} s`);
        return result;
      } catch (error) {
        log.write(host.name, `failed: ${error instanceof Error ? error.message : String(error)}`);
        throw error;
      }
    },
    close: () => host.close(),
  };
}
