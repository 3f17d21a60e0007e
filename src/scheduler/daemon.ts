/** Puts the scheduler together: store, decisions, session, API. */

import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { detectFromList } from '../mesos/leader.ts';
import { createSchedulerSession, type SchedulerSession } from '../mesos/scheduler-session.ts';
import type { FrameworkInfo } from '../mesos/types.ts';
import { EventStreams } from './api/events.ts';
import { createApi } from './api/server.ts';
import { evolve } from './domain/evolve.ts';
import { createState, type State } from './domain/state.ts';
import { describe, type Notice } from './notices.ts';
import type { DaemonOptions } from './options.ts';
import { createRunner, type Runner } from './runner.ts';
import { openJournal } from './store/journal.ts';
import type { Store } from './store/store.ts';

const VERSION = '0.1.0';

export interface Daemon {
  readonly port: number;
  /** Stops without ending any task. */
  stop(): Promise<void>;
}

/**
 * Resolves once the API listens; the subscription follows by itself.
 * @param onFatal called when the daemon can't go on
 * @throws StoreError, or an Error where the API can't listen
 */
export async function startDaemon(
  options: DaemonOptions,
  log: Logger,
  onFatal: (message: string) => void,
): Promise<Daemon> {
  const warn = (message: string) => log.warn(message);
  const store = await openJournal({ directory: options.dataDirectory, warn });
  try {
    return await run(options, log, onFatal, store);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function run(
  options: DaemonOptions,
  log: Logger,
  onFatal: (message: string) => void,
  store: Store,
): Promise<Daemon> {
  const state = createState(options.settings);
  for (const event of await store.load()) evolve(state, event);

  const events = new EventStreams();
  const onError = (what: string, error: unknown) => log.error({ err: error }, what);
  let session: SchedulerSession;
  const runner: Runner = createRunner<Notice>({
    state,
    store,
    now: Date.now,
    send: (call) => session.call(call),
    describe,
    publish: (notices) => {
      for (const { level, text, fields, event } of notices) {
        log[level](fields, text);
        if (event) events.publish(event);
      }
    },
    onError,
    onFatal,
    onNewSession: () => {
      void session.stop();
      session = openSession(options, state, runner);
      session.start();
    },
  });
  session = openSession(options, state, runner);

  let port = options.httpPort;
  const api = createApi({
    runner,
    events,
    leader: () => `${options.hostname}:${port}`,
    info: {
      name: options.settings.framework.name,
      version: VERSION,
      marathon_config: { master: options.masters.join(','), mesos_role: options.settings.role },
    },
    now: Date.now,
    random: Math.random,
    endpointsPortSuffix: options.endpointsPortSuffix,
    ...(options.httpCredentials !== undefined && { credentials: options.httpCredentials }),
    onError,
  });
  await listen(api, options);
  port = (api.server.address() as AddressInfo).port;
  const url = `http://${options.httpAddress}:${port}`;
  log.info({ url, apps: state.apps.size, tasks: state.tasks.size }, `listening on ${url}`);
  session.start();

  return {
    port,
    stop: async () => {
      events.close();
      await Promise.all([api.close(), session.stop(), runner.stop()]);
      await store.close();
    },
  };
}

function openSession(options: DaemonOptions, state: State, runner: Runner): SchedulerSession {
  const { settings, credential, masters } = options;
  return createSchedulerSession({
    detect: detectFromList(masters),
    framework: (): FrameworkInfo => ({
      ...settings.framework,
      ...(state.frameworkId !== undefined && { id: { value: state.frameworkId } }),
    }),
    suppressedRoles: () => (state.suppressed ? [settings.role] : []),
    ...(credential && { credential }),
    onEvent: (event) => runner.post({ type: 'mesos', event }),
    onDisconnected: (reason) => runner.post({ type: 'disconnected', reason }),
  });
}

async function listen(api: ReturnType<typeof createApi>, options: DaemonOptions): Promise<void> {
  const { httpAddress: host, httpPort: port } = options;
  try {
    await api.listen({ host, port });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
      throw new Error(
        `port ${port} of ${host} is taken by another program: stop it, or choose another with --http_port`,
      );
    }
    throw error;
  }
}
