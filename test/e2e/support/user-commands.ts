/** Runs the commands of people who run apps, with files of their own, against an installed cluster. */

import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { root, until } from '../demo-cluster.ts';

const PROGRAM = path.join(root, 'bin/mesosup');

export class UserCommands {
  readonly #environment: Record<string, string>;

  private constructor(environment: Record<string, string>) {
    this.#environment = environment;
  }

  /**
   * @param directory for the user's files
   * @param state directory of an installed cluster's state, which the user's installer would have put there
   */
  static async of(directory: string, name: string, state: string): Promise<UserCommands> {
    const stateHome = path.join(directory, 'state');
    await mkdir(path.join(stateHome, 'mesosup'), { recursive: true });
    await symlink(state, path.join(stateHome, 'mesosup', name));
    return new UserCommands({ XDG_STATE_HOME: stateHome, XDG_CONFIG_HOME: path.join(directory, 'config') });
  }

  /** @returns the process, which can be awaited; a failure is no error */
  start(args: readonly string[], input?: string) {
    const stdin = input === undefined ? ({ stdin: 'ignore' } as const) : { input };
    return execa(PROGRAM, args, { env: this.#environment, reject: false, all: true, ...stdin });
  }

  /** @returns both outputs @throws Error with both outputs if it fails */
  async run(args: readonly string[], input?: string): Promise<string> {
    const { exitCode, all } = await this.start(args, input);
    if (exitCode !== 0) throw new Error(`exit ${exitCode} of mesosup ${args.join(' ')}:\n${all}`);
    return all ?? '';
  }
}

/** What a process has written so far. */
export class Output {
  text = '';

  constructor(process: { readonly all?: NodeJS.ReadableStream | undefined }) {
    process.all?.on('data', (chunk: Buffer) => {
      this.text += chunk.toString();
    });
  }

  async shows(pattern: RegExp): Promise<void> {
    try {
      await until(`${pattern} was written`, async () => pattern.test(this.text), 90_000);
    } catch (error) {
      throw new Error(`${(error as Error).message}; written:\n${this.text}`);
    }
  }
}

/** The numbers of the lines `line N` that `mesosup app logs` showed for each task. */
export function numbersIn(output: string, app: string): Map<string, readonly number[]> {
  const lines = output.matchAll(new RegExp(`^(${app}\\.[\\da-f]+) +\\| line (\\d+)$`, 'gm'));
  const tasks = Map.groupBy(lines, ([, task = '']) => task);
  return new Map([...tasks].map(([task, found]) => [task, found.map(([, , number]) => Number(number))]));
}
