/** Makes one attempt at an authenticated connection. */

import type { Duplex } from 'node:stream';
import { NodeSSH } from 'node-ssh';
import type { AnyAuthMethod, AuthHandlerMiddleware, Client, Prompt } from 'ssh2';
import { HostError } from '../host.ts';
import type { Questions } from '../questions.ts';
import { timedOut } from './handshake-errors.ts';
import { hostKeyCheck } from './host-keys.ts';
import { Identities, type Pause } from './identities.ts';
import type { UnlockedKeys } from './key-files.ts';
import type { ConnectionPlan } from './route.ts';

export interface HandshakeTools {
  readonly questions: Questions;
  readonly unlocked: UnlockedKeys;
  readonly notice: (text: string) => void;
}

/** The progress of an attempt; updated while it runs. */
export interface Attempt {
  keyVerified: boolean;
  offered: readonly string[];
  problems: readonly string[];
}

/**
 * @param sock a stream to the host, if the connection goes through another host
 * @param attempt updated with the progress
 * @throws HostError, or an error of ssh2 or the system
 */
export async function handshake(
  plan: ConnectionPlan,
  sock: Duplex | null,
  tools: HandshakeTools,
  attempt: Attempt,
): Promise<Client> {
  const check = await hostKeyCheck(plan, tools.notice);
  // ssh2 would wait for the end of a stream that has already ended. The text is ssh2's own for a stream that ends later.
  if (sock?.destroyed) throw new Error('Connection lost before handshake');
  const ssh = new NodeSSH();
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>();
  stopped.catch(() => {});
  const clock = new Clock(plan.timeout, () => stop(timedOut(plan)));
  const pause: Pause = (work) => clock.pausedFor(work);
  const identities = new Identities(plan, tools.unlocked, pause);
  Object.assign(attempt, { offered: identities.offered, problems: identities.problems });
  const connecting = ssh.connect({
    host: plan.hostname,
    port: plan.port,
    username: plan.user,
    ...(sock ? { sock: sock as NonNullable<Parameters<NodeSSH['connect']>[0]['sock']> } : {}),
    readyTimeout: 0, // `clock` replaces it, because it pauses while a person answers
    keepaliveInterval: plan.keepalive.interval,
    keepaliveCountMax: plan.keepalive.count,
    algorithms: { serverHostKey: check.algorithms },
    hostVerifier: (key: Buffer, verify: (good: boolean) => void) => {
      check.verify(key).then(
        () => {
          attempt.keyVerified = true;
          verify(true);
        },
        (error) => {
          stop(error);
          verify(false);
        },
      );
    },
    authHandler: authentication(plan, identities, tools.questions, pause) as AuthHandlerMiddleware,
  });
  const client = ssh.connection;
  if (!client) throw new Error('node-ssh created no client');
  // node-ssh removes its own listener once the connection is ready. Without this one, a later reset would crash the process.
  client.on('error', () => {});
  client.setMaxListeners(0); // each run adds one
  // From the first packet on: ssh2 writes several packets in a row, of which the second would wait until the host has
  // confirmed the first, up to 40 ms each time.
  client.once('connect', () => client.setNoDelay(true));
  try {
    await Promise.race([connecting, stopped]);
    return client;
  } catch (error) {
    connecting.catch(() => {});
    client.destroy();
    throw identities.failure instanceof HostError && !(error instanceof HostError)
      ? identities.failure
      : error;
  } finally {
    clock.stop();
  }
}

/** A timeout that can be paused. */
class Clock {
  #left: number;
  #since = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #pauses = 0;
  readonly #onEnd: () => void;

  constructor(milliseconds: number, onEnd: () => void) {
    this.#left = milliseconds;
    this.#onEnd = onEnd;
    this.#timer = setTimeout(onEnd, milliseconds);
  }

  async pausedFor<T>(work: () => Promise<T>): Promise<T> {
    if (this.#pauses++ === 0) {
      clearTimeout(this.#timer);
      this.#left -= performance.now() - this.#since;
    }
    try {
      return await work();
    } finally {
      if (--this.#pauses === 0) {
        this.#since = performance.now();
        this.#timer = setTimeout(this.#onEnd, this.#left);
      }
    }
  }

  stop(): void {
    this.#pauses = 1;
    clearTimeout(this.#timer);
  }
}

type NextAuth = (next: AnyAuthMethod | false) => void;

/**
 * Offers keys first. Then, if the host allows it, asks a person for the password or the answers that the host wants.
 * ssh2 doesn't report which methods are left after an agent's keys, so an attempt with `none` finds out.
 */
function authentication(plan: ConnectionPlan, identities: Identities, questions: Questions, pause: Pause) {
  const username = plan.user;
  let step: 'keys' | 'methods' | 'login' | 'done' = 'keys';
  const ask = (text: string) =>
    pause(() =>
      questions.once(`login:${plan.user}@${plan.hostname}:${plan.port}:${text}`, {
        kind: 'login',
        host: plan.host,
        user: plan.user,
        text,
      }),
    );
  const prompt = (
    _name: string,
    _text: string,
    _lang: string,
    prompts: Prompt[],
    finish: (answers: string[]) => void,
  ) => {
    const answers = prompts.map(async ({ prompt: text }) => (await ask(text.trim())) ?? '');
    Promise.all(answers).then(finish, () => finish([]));
  };
  const choose = async (methods: readonly string[] | null): Promise<AnyAuthMethod | false> => {
    const now = step;
    step = now === 'keys' ? 'methods' : now === 'methods' ? 'login' : 'done';
    if (now === 'keys') return { type: 'agent', username, agent: identities };
    if (now === 'methods') return { type: 'none', username };
    if (now === 'login' && methods?.includes('password')) {
      const password = await ask(`${plan.user}@${plan.hostname}'s password:`);
      return password === undefined ? false : { type: 'password', username, password };
    }
    if (now === 'login' && methods?.includes('keyboard-interactive')) {
      return { type: 'keyboard-interactive', username, prompt };
    }
    return false;
  };
  return (methods: readonly string[] | null, _partial: boolean | null, next: NextAuth): void => {
    choose(methods).then(next, () => next(false));
  };
}
