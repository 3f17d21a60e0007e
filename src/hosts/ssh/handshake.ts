/** One try at an authenticated connection. */

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

/** How far a try came; filled in while it goes on. */
export interface Tried {
  keyVerified: boolean;
  offered: readonly string[];
  problems: readonly string[];
}

/**
 * @param sock the way there, where it goes through another host
 * @param tried is told how far it came
 * @throws HostError, or an error of ssh2 or the system
 */
export async function handshake(
  plan: ConnectionPlan,
  sock: Duplex | null,
  tools: HandshakeTools,
  tried: Tried,
): Promise<Client> {
  const check = await hostKeyCheck(plan, tools.notice);
  // ssh2 would wait for the end of a stream that has ended; the words are its own for one that ends a little later.
  if (sock?.destroyed) throw new Error('Connection lost before handshake');
  const ssh = new NodeSSH();
  const { promise: stopped, reject: stop } = Promise.withResolvers<never>();
  stopped.catch(() => {});
  const clock = new Clock(plan.timeout, () => stop(timedOut(plan)));
  const pause: Pause = (work) => clock.pausedFor(work);
  const identities = new Identities(plan, tools.unlocked, pause);
  Object.assign(tried, { offered: identities.offered, problems: identities.problems });
  const connecting = ssh.connect({
    host: plan.hostname,
    port: plan.port,
    username: plan.user,
    ...(sock ? { sock: sock as NonNullable<Parameters<NodeSSH['connect']>[0]['sock']> } : {}),
    readyTimeout: 0, // ours stands still while a person answers
    keepaliveInterval: plan.keepalive.interval,
    keepaliveCountMax: plan.keepalive.count,
    algorithms: { serverHostKey: check.algorithms },
    hostVerifier: (key: Buffer, verify: (good: boolean) => void) => {
      check.verify(key).then(
        () => {
          tried.keyVerified = true;
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
  if (!client) throw new Error('node-ssh made no client');
  // node-ssh takes its own listener away once ready; without another a later reset would end the process.
  client.on('error', () => {});
  client.setMaxListeners(0); // one a run
  try {
    await Promise.race([connecting, stopped]);
    client.setNoDelay(true);
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

/** A time limit that can stand still. */
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
 * Keys first; then, if the host allows it and there is someone to ask, what it asks for at login. ssh2 doesn't say
 * which methods are left after an agent's keys, so `none` finds out.
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
