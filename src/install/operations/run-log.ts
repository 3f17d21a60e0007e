/** The log of `--verbose`: every script that ran on a host and its output, without the secrets. */

import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import type { Host, RunOptions, RunResult } from '../../hosts/host.ts';

const DOTS = '••••••••';

export class RunLog {
  readonly file: string;
  readonly #stream: WriteStream;
  readonly #hidden = new Set<string>();

  /** @param file path of a new file, readable by its owner only; an existing file is an error */
  constructor(file: string) {
    this.file = file;
    this.#stream = createWriteStream(file, { flags: 'wx', mode: 0o600 });
  }

  /** Replaces these secrets by dots in all later text, also within base64. */
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
 * Returns the forms of a text within the base64 of a longer text, one for each of the three offsets in a group of
 * bytes. The characters at both ends, which also encode neighbouring bytes, are cut off.
 */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + bytes.length) * 8) / 6));
  });
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
