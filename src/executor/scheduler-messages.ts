/** Answers the scheduler's messages: requests for files of a task, and invitations to exec sessions. */

import type { DockerEngine } from '../docker/engine.ts';
import { encodeRegret, readInvitation } from '../exec/control.ts';
import { encodeFilesAnswer, readFilesRequest } from '../exec/files.ts';
import type { ClientTls } from '../tls/settings.ts';
import { readPolicy } from './agent-policy.ts';
import { findExecProblem } from './domain/exec-container.ts';
import type { ExecSessions, ExecSessionsOptions } from './exec.ts';
import type { Log } from './log.ts';

export interface SchedulerMessagesOptions {
  engine: DockerEngine;
  /** The executor's sandbox, an absolute path. */
  sandbox: string;
  policyFile: string;
  schedulersFile: string | undefined;
  /** @returns how to connect to agents and schedulers. May throw. */
  serviceTls: () => ClientTls;
  containerOf: ExecSessionsOptions['containerOf'];
  /** Sends a message to the scheduler. It may be lost: the scheduler repeats its own. */
  send: (data: string) => Promise<void>;
  log: Log;
}

export class SchedulerMessages {
  readonly #options: SchedulerMessagesOptions;
  #exec: Promise<ExecSessions> | undefined;

  constructor(options: SchedulerMessagesOptions) {
    this.#options = options;
  }

  /** Ignores messages of other kinds. */
  async take(data: string): Promise<void> {
    const request = readFilesRequest(data);
    if (request) {
      const { readSandbox } = await import('./sandbox-reader.ts');
      const found = readSandbox(this.#options.sandbox, request);
      return await this.#options.send(encodeFilesAnswer(request.id, found));
    }
    const invitation = readInvitation(data);
    if (!invitation) return;
    this.#exec ??= this.#loadExec();
    await (await this.#exec).join(invitation);
  }

  /** Loads the code for exec on demand: the first task on an agent waits for the start of this program. */
  async #loadExec(): Promise<ExecSessions> {
    const { ExecSessions } = await import('./exec.ts');
    const { engine, schedulersFile, serviceTls, policyFile, containerOf, send, log } = this.#options;
    return new ExecSessions({
      engine,
      schedulersFile,
      serviceTls,
      forbidden: () => findExecProblem(readPolicy(policyFile)),
      containerOf,
      regret: (regret) => void send(encodeRegret(regret)),
      log,
    });
  }
}
