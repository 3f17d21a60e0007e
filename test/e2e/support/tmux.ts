/** A terminal of a fixed size, in tmux: what a person would see, as text. */

import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { until } from '../demo-cluster.ts';

export class Tmux {
  readonly #socket = `mesosup-test-${randomBytes(4).toString('hex')}`;

  #commands = 0;

  /** Starts a shell. @param environment added to that of this process */
  static async start(
    columns: number,
    rows: number,
    { directory, environment }: { directory: string; environment: Record<string, string> },
  ): Promise<Tmux> {
    const tmux = new Tmux();
    await tmux.#run(
      ['-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', String(rows)],
      ['-c', directory, "env PS1='$ ' sh"],
      environment,
    );
    return tmux;
  }

  async type(text: string): Promise<void> {
    await this.#run(['send-keys', '-l', text]);
  }

  /** @param name as tmux writes it: `Enter`, `C-c` */
  async key(name: string): Promise<void> {
    await this.#run(['send-keys', name]);
  }

  async enter(line: string): Promise<void> {
    await this.type(line);
    await this.key('Enter');
  }

  /** Types a command, and waits until it has ended. @returns what it showed, with `[exit CODE]` at its end */
  async command(line: string): Promise<string> {
    this.#commands += 1;
    const end = `end ${this.#commands}`;
    await this.enter(`clear; ${line}; echo "[exit $?]"; echo ${end}`);
    return (await this.shows(new RegExp(`^${end}$`, 'm'))).replace(/\nend [\s\S]*$/, '');
  }

  /** Waits until the screen matches. @returns the screen */
  async shows(pattern: RegExp): Promise<string> {
    let screen = '';
    try {
      await until(
        `the terminal shows ${pattern}`,
        async () => {
          screen = await this.screen();
          return pattern.test(screen);
        },
        60_000,
      );
    } catch (error) {
      throw new Error(`${(error as Error).message}; it shows:\n${screen}`);
    }
    return screen;
  }

  /** The lines of the screen without the empty ones at its end. */
  async screen(): Promise<string> {
    const { stdout } = await this.#run(['capture-pane', '-p']);
    return stdout.trimEnd();
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#run(['resize-window', '-x', String(columns), '-y', String(rows)]);
  }

  async end(): Promise<void> {
    await this.#run(['kill-server']).catch(() => undefined);
  }

  #run(args: readonly string[], more: readonly string[] = [], environment: Record<string, string> = {}) {
    return execa('tmux', ['-L', this.#socket, ...args, ...more], {
      env: { TERM: 'xterm-256color', ...environment },
    });
  }
}
