/** Assembles the scheduler: state from its store, decisions, the session with the master, the API. */

import type { Logger } from 'pino';
import { createSchedulerSession, type SchedulerSession } from '../mesos/scheduler-session.ts';
import { type FrameworkInfo, isTerminal } from '../mesos/types.ts';
import { RELEASE } from '../release.ts';
import type { Transport } from '../tls/connect.ts';
import { AgentFlagsReader, type AskNotice, askNotice } from './agent-flags.ts';
import { Agents } from './agents/agents.ts';
import { roleForMethod } from './api/access-rules.ts';
import type { Api } from './api/answers.ts';
import { createApi } from './api/server.ts';
import { routeUpgrade } from './api/upgrades.ts';
import type { ServerEvent } from './api/v2/event-schemas.ts';
import { EventStreams } from './api/v2/event-stream.ts';
import type { StateEvent } from './domain/events.ts';
import { evolve } from './domain/evolve.ts';
import { flagsFor, withIdentity } from './domain/framework-identity.ts';
import { createState, type State } from './domain/state.ts';
import { ExecSessions, isOfExecutor } from './exec/exec-sessions.ts';
import type { DaemonOptions } from './flags/options.ts';
import { describeSetup } from './info.ts';
import { serverEvents } from './marathon-events.ts';
import { type Detection, openDetection } from './masters.ts';
import { Members } from './members.ts';
import { createMetrics } from './metrics.ts';
import { type Notice, noticeFor } from './notices.ts';
import { type ProbeNotice, Prober, probeNotice, probeNotices } from './prober.ts';
import { createRunner, type Runner } from './runner.ts';
import { AgentAddresses } from './sandbox/agent-addresses.ts';
import { AgentFiles } from './sandbox/agent-files.ts';
import { ExecutorFiles } from './sandbox/executor-files.ts';
import { TaskFiles } from './sandbox/task-files.ts';
import { type EndedTaskNotice, endedTaskNotice, TaskLogs } from './sandbox/task-logs.ts';
import { Sessions } from './sign-in/sessions.ts';
import { type Store, StoreError } from './store/store.ts';
import type { Upgrade } from './upgrade.ts';

export interface SchedulerOptions {
  options: DaemonOptions;
  log: Logger;
  /** The caller closes it after `stop`. */
  store: Store;
  /** `host:port` under which other hosts reach the API. */
  address: () => string;
  /** `host:port` of each scheduler, this one first; absent for a single scheduler. */
  schedulers?: () => Promise<readonly string[]>;
  /** False as soon as another scheduler may be active: from then on nothing is sent to the master. */
  leads: () => boolean;
  /** Hands the leadership over to another scheduler; absent for a single scheduler. */
  abdicate?: () => void;
  /** Called when the scheduler can't continue. */
  onFatal: (message: string) => void;
}

export interface Scheduler {
  /** Does not listen yet. */
  readonly api: Api;
  readonly apps: number;
  readonly tasks: number;
  /** Takes a request for another protocol on its connection. */
  upgrade(upgrade: Upgrade): void;
  /** Subscribes with the master. */
  start(): void;
  /** Stops without killing any task. */
  stop(): Promise<void>;
}

type AnyNotice = Notice | ServerEvent | ProbeNotice | AskNotice | EndedTaskNotice;

/** Derives the notices for the log, the listeners, the prober, and the readers of flags and of tasks' output. */
export function noticesFor(state: State, event: StateEvent, now: number): AnyNotice[] {
  const notices = [
    noticeFor(state, event),
    probeNotice(state, event),
    askNotice(event),
    endedTaskNotice(state, event),
  ].filter((one) => one !== undefined);
  return [...notices, ...serverEvents(state, event, now)];
}

/**
 * Adapts the options to a framework that was taken over.
 * @throws StoreError if the flags name another user, role or principal
 */
function optionsForFramework(options: DaemonOptions, { frameworkId, identity }: State): DaemonOptions {
  if (!identity) return options;
  const flags = flagsFor(identity, options.settings);
  if (flags.length > 0) {
    throw new StoreError(
      `the framework ${frameworkId}, which was taken over, has another user, role or principal than this scheduler's flags name: start it with ${flags.join(' and ')}`,
    );
  }
  return { ...options, settings: withIdentity(options.settings, identity) };
}

/** @returns undefined for plain text: TLS takes 17 ms to load */
async function transportOf(
  { mesosTls }: Pick<DaemonOptions, 'mesosTls'>,
  log: Logger,
): Promise<Transport | undefined> {
  if (!mesosTls) return undefined;
  const { createTransport } = await import('../tls/connect.ts');
  return createTransport(mesosTls, { onProblem: (message) => log.warn(`Mesos: ${message}`) });
}

/** @throws StoreError */
export async function createScheduler(schedulerOptions: SchedulerOptions): Promise<Scheduler> {
  const { log, store, leads, onFatal } = schedulerOptions;
  const loaded = createState(schedulerOptions.options.settings);
  for await (const events of store.load()) for (const event of events) evolve(loaded, event);
  const options = optionsForFramework(schedulerOptions.options, loaded);
  const state: State = { ...loaded, settings: options.settings };
  const metrics = createMetrics();

  const events = new EventStreams();
  const onError = (what: string, error: unknown) => log.error({ err: error }, what);
  const prober = new Prober((input) => runner.post(input));
  const transport = await transportOf(options, log);
  const agentFlags = new AgentFlagsReader((input) => runner.post(input), transport);
  let session: SchedulerSession;
  const refuseUnlessLeading = (): void => {
    if (!leads()) throw new Error('another scheduler may be the leader by now');
  };
  const send = async (call: Parameters<SchedulerSession['call']>[0]): Promise<void> => {
    refuseUnlessLeading();
    metrics.countCall(call);
    try {
      await session.call(call);
    } catch (error) {
      metrics.countCallFailure(call);
      throw error;
    }
  };
  const exec = new ExecSessions({ send, now: Date.now, log: (fields, text) => log.info(fields, text) });
  const runner: Runner = createRunner<AnyNotice>({
    state,
    store: metrics.timeStore(store),
    now: Date.now,
    send,
    describe: noticesFor,
    publish: (notices, changes) => {
      for (const change of changes) {
        metrics.countChange(change);
        if (change.type === 'task_updated' && isTerminal(change.state))
          exec.endTask(change.taskId, change.state);
      }
      for (const one of notices) {
        if ('eventType' in one) events.publish(one);
        else if ('probing' in one) prober.take(one);
        else if ('asking' in one) agentFlags.take(one);
        else if ('ended' in one) logs.remember(one.ended);
        else log[one.level](one.fields, one.text);
      }
    },
    onError,
    onFatal,
    onNewSession: () => {
      void session.stop();
      session = openSession();
      session.start();
    },
  });

  runner.post({ type: 'started', release: RELEASE });

  const detection: Detection = await openDetection(options.masters, log, () => {
    runner.post({ type: 'disconnected', reason: 'another master became the leader' });
    void session.stop();
    session.start();
  });
  const masterAccess = {
    detect: () => detection.detect(),
    now: Date.now,
    transport,
    ...(options.credential && { credential: options.credential }),
  };
  const agentFiles = new AgentFiles(new AgentAddresses(masterAccess), options.agentCredential, transport);
  const logs = new TaskLogs(agentFiles);
  const executorFiles = new ExecutorFiles(send);
  const openSession = (): SchedulerSession => {
    const { settings, credential } = options;
    return createSchedulerSession({
      transport,
      detect: async () => {
        refuseUnlessLeading();
        return detection.detect();
      },
      framework: (): FrameworkInfo => ({
        ...settings.framework,
        ...(state.frameworkId !== undefined && { id: { value: state.frameworkId } }),
      }),
      suppressedRoles: () => (state.suppressed ? [settings.role] : []),
      offerConstraints: () => state.constraints.forSubscribe,
      ...(credential && { credential }),
      onEvent: (event) => {
        if (event.type === 'MESSAGE') {
          exec.takeMessage(event);
          executorFiles.takeMessage(event);
        }
        const begin = performance.now();
        runner.submit({ type: 'mesos', event }).then(
          () => metrics.countMesosEvent(event, (performance.now() - begin) / 1000),
          // Reported to onError already.
          () => {},
        );
      },
      onDisconnected: (reason) => runner.post({ type: 'disconnected', reason }),
    });
  };
  session = openSession();

  const sessions = new Sessions({
    accounts: options.accounts ?? [],
    limits: options.sessionLimits,
    store,
    now: Date.now,
    warn: (message) => log.warn(message),
  });
  await sessions.load();
  const api = createApi({
    runner,
    events,
    agents: new Agents(masterAccess),
    members: new Members({
      ...masterAccess,
      masters: () => detection.all(),
      schedulers: schedulerOptions.schedulers ?? (async () => [schedulerOptions.address()]),
    }),
    sessions,
    exec: options.disableExec ? undefined : exec,
    logs,
    files: new TaskFiles(agentFiles, executorFiles),
    leader: schedulerOptions.address,
    info: () => describeSetup(options),
    ...(schedulerOptions.abdicate && { abdicate: schedulerOptions.abdicate }),
    now: Date.now,
    random: Math.random,
    endpointsPortSuffix: options.endpointsPortSuffix,
    maxBodyBytes: options.maxBodyBytes,
    metrics,
    onAnswered: ({ id, user, address, needed, method, url, status, seconds }) => {
      // Logs what only operators may do, and who signs in; reads would fill the log.
      const changes = needed === 'operator' || roleForMethod(method) === 'operator';
      const level = changes ? 'info' : 'debug';
      const ms = Math.round(seconds * 1000);
      const who = user === undefined ? { address } : { user };
      log[level]({ request: id, ...who, status, ms }, `${method} ${url.split('?')[0]}`);
    },
    ...(options.accounts && { accounts: options.accounts }),
    ...(options.allowedOrigins && { allowedOrigins: options.allowedOrigins }),
    onError,
  });
  return {
    api,
    apps: state.apps.size,
    tasks: state.tasks.size,
    upgrade: (upgrade) => {
      if (isOfExecutor(upgrade.request)) exec.accept(upgrade);
      else routeUpgrade(api, upgrade);
    },
    start: () => {
      session.start();
      for (const notice of probeNotices(state)) prober.take(notice);
    },
    stop: async () => {
      events.close();
      exec.close();
      prober.stop();
      agentFlags.stop();
      agentFiles.close();
      await Promise.all([api.close(), session.stop(), runner.stop(), detection.stop(), sessions.close()]);
    },
  };
}
