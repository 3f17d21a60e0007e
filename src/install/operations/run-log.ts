/** The log of `--verbose`: every script that ran on a host and its output, without the secrets. */

import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { hider, type Redact } from '../../cluster/redaction.ts';
import type { Host, RunOptions, RunResult } from '../../hosts/host.ts';

export class RunLog {
  readonly file: string;
  readonly #stream: WriteStream;
  readonly #hidden = new Set<string>();
  #redact: Redact = (text) => text;

  /** @param file path of a new file, readable by its owner only; an existing file is an error */
  constructor(file: string) {
    this.file = file;
    this.#stream = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  }

  /** Replaces these secrets by dots in all later text, also where they are encoded. */
  hide(secrets: readonly string[]): void {
    for (const secret of secrets) this.#hidden.add(secret);
    this.#redact = hider([...this.#hidden]);
  }

  write(host: string, text: string): void {
    const at = new Date().toISOString();
    for (const line of this.#redact(text).split('\n')) this.#stream.write(`${at} ${host}: ${line}\n`);
  }

  async close(): Promise<void> {
    this.#stream.end();
    await finished(this.#stream);
  }
}

/** Wraps a host so that its scripts and their output are logged. */
export function loggedHost(host: Host, log: RunLog): Host {
  return {
    name: host.name,
    async run(script: string, options: RunOptions = {}): Promise<RunResult> {
      log.write(host.name, `runs:\n${script}`);
      const logged = (onLine: (line: string) => void) => (line: string) => {
        log.write(host.name, `| ${line}`);
        onLine(line);
      };
      const { onLine, onErrorLine } = options;
      const began = performance.now();
      try {
        const result = await host.run(script, {
          ...options,
          ...(onLine && { onLine: logged(onLine) }),
          ...(onErrorLine && { onErrorLine: logged(onErrorLine) }),
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
