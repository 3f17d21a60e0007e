/**
 * Runs one of several schedulers. It forwards requests to the leading scheduler until it is elected itself. It can
 * become the leader only once: after losing the leadership the process has to exit.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { createTransport } from '../tls/connect.ts';
import type { ClientTls } from '../tls/settings.ts';
import { childPath, showZooKeeperAddress, type ZooKeeperAddress } from '../zookeeper/address.ts';
import type { ZooKeeperSession } from '../zookeeper/client.ts';
import { isByOwnScript } from './api/client-origin.ts';
import { tokenIn } from './api/session-cookie.ts';
import type { DaemonOptions } from './flags/options.ts';
import { FormerSessions } from './former-sessions.ts';
import { type Election, listCandidates, standForElection } from './leadership.ts';
import { type Daemon, listen, sharesPort } from './listen.ts';
import type { Page } from './page/page.ts';
import { answerUnavailable, type Forwarding, forwardRequest, routeTo } from './proxy.ts';
import { Relays } from './relays.ts';
import type { createScheduler, Scheduler } from './scheduler.ts';
import { openZooKeeperStore } from './store/zookeeper.ts';
import { answerOf, type Upgrade } from './upgrade.ts';

export interface ContenderOptions {
  options: DaemonOptions;
  zooKeeper: ZooKeeperAddress;
  /** Passed in, not imported: an import here would move code of the single scheduler into a chunk that loads later. */
  createScheduler: typeof createScheduler;
  log: Logger;
  page: Page;
  onFatal: (message: string) => void;
}

/** Resolves once the API listens. */
export async function startContender({
  options,
  zooKeeper,
  createScheduler,
  log,
  page,
  onFatal,
}: ContenderOptions): Promise<Daemon> {
  const where = showZooKeeperAddress(zooKeeper);
  let scheduler: Scheduler | undefined;
  let starting: Promise<void> = Promise.resolve();
  let stopping = false;
  const relays = new Relays();
  const sessions = new FormerSessions(options.dataDirectory, zooKeeper, log);
  // At once: until then, the dead leader may be in the way of another scheduler.
  void sessions.end();

  const listening = await listen(
    options,
    (request, answer) => {
      if (page.answer(request, answer)) return;
      if (scheduler && election.leads()) scheduler.api.routing(relays.checked(request), answer);
      else answerAsFollower(request, answer, election, forwarding);
    },
    (upgrade) => {
      if (scheduler && election.leads()) {
        relays.checked(upgrade.request);
        scheduler.upgrade(upgrade);
      } else answerAsFollower(upgrade.request, answerOf(upgrade), election, forwarding, upgrade);
    },
    (message) => log.warn(message),
  );
  const { port, urls } = listening;
  const address = `${options.hostname}:${port}`;
  const forwarding: Forwarding = {
    own: address,
    ...forwardingByTls(options, log),
  };
  log.info({ url: urls[0], zk: where, address }, `listening on ${urls.join(' and ')}`);
  warnOfRiskyOptions(options, zooKeeper, log);

  const startLeading = async (session: ZooKeeperSession): Promise<void> => {
    log.info('elected: this scheduler leads');
    const store = await openZooKeeperStore({
      session,
      path: childPath(zooKeeper.path, 'state'),
      warn: (message) => log.warn(message),
    });
    const created = await createScheduler({
      options,
      log,
      store,
      onFatal,
      address: () => address,
      schedulers: () => listCandidates(session, zooKeeper),
      // Exits, as Marathon does; its init system starts it again.
      abdicate: () =>
        void stop().finally(() =>
          onFatal('this scheduler is no longer the leader: it was asked to abdicate'),
        ),
      leads: () => election.leads(),
    });
    await created.api.ready();
    scheduler = created;
    if (stopping) return;
    log.info({ apps: created.apps, tasks: created.tasks }, 'the state is loaded');
    created.start();
    relays.follow(() => listCandidates(session, zooKeeper));
  };

  const election: Election = standForElection({
    zooKeeper,
    address,
    log,
    onSession: (key) => void sessions.keep(key),
    onElected: (session) => {
      starting = startLeading(session).catch((error: unknown) => {
        if (!stopping) onFatal(error instanceof Error ? error.message : String(error));
      });
    },
    onDeposed: (reason) =>
      onFatal(
        `this scheduler is no longer the leader: ${reason}. It exits; when restarted, it stands for election again`,
      ),
  });

  const stop = async (): Promise<void> => {
    stopping = true;
    listening.refuse();
    // Stores the state before another scheduler can lead.
    await Promise.race([starting, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
    relays.stop();
    await scheduler?.stop();
    await election.stop();
    await sessions.forget();
    await listening.close();
  };
  return { port, stop };
}

function forwardingByTls(options: DaemonOptions, log: Logger): Omit<Forwarding, 'own'> {
  const { httpPort, tls } = options;
  if (!tls) return {};
  const { port, ...files } = tls;
  const by = (more: Omit<ClientTls, 'ca' | 'cert' | 'key'>) =>
    createTransport({ ...files, ...more }, { onProblem: (message) => log.warn(`forwarding: ${message}`) });
  if (httpPort === undefined) return { tls: by({ mode: 'required' }) };
  // While the schedulers of a cluster turn to TLS one after the other, the leader may not have it yet.
  if (sharesPort(options)) return { tls: by({ mode: 'preferred', trustsOwn: true }) };
  return port === 0 ? {} : { secure: { port, transport: by({ mode: 'required', trustsOwn: true }) } };
}

function answerAsFollower(
  request: IncomingMessage,
  answer: ServerResponse,
  election: Election,
  forwarding: Forwarding,
  upgrade?: Upgrade,
): void {
  const { own } = forwarding;
  const path = request.url?.split('?')[0];
  if (path === '/ping') {
    answer.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 4 }).end('pong');
    return;
  }
  const leader = election.leader();
  // Redirects event streams, so that only the leader holds them. Clients send their password again after a redirect; pages
  // may not connect to other hosts.
  const isOfPage = isByOwnScript(request) || tokenIn(request) !== undefined;
  const isStream = !isOfPage && /^\/v2\/events\/?$/.test(path ?? '');
  const route =
    isStream && leader !== undefined && leader.address !== own
      ? routeTo(leader, request, forwarding)
      : undefined;
  if (route) {
    answer.writeHead(302, { Location: `${route.origin}${request.url}`, 'Content-Length': 0 }).end();
    return;
  }
  if (leader !== undefined && leader.address !== own)
    forwardRequest(request, answer, leader, forwarding, upgrade);
  else if (leader !== undefined)
    answerUnavailable(answer, 'This scheduler was just elected and is loading its state');
  else if (path === '/v2/leader') {
    const body = JSON.stringify({ message: 'There is no leader' });
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
    answer.writeHead(404, headers).end(body);
  } else
    answerUnavailable(
      answer,
      'There is no leading scheduler: the election is under way, or ZooKeeper is unreachable',
    );
}

function warnOfRiskyOptions(options: DaemonOptions, zooKeeper: ZooKeeperAddress, log: Logger): void {
  if (zooKeeper.credentials === undefined) {
    log.warn('--zk has no user:password: anyone who can reach ZooKeeper can read and change the state');
  }
  if (/^(127\.|::1$|localhost$)/.test(options.httpAddress) && options.hostname !== options.httpAddress) {
    log.warn(
      `the API listens only on ${options.httpAddress}, so schedulers on other hosts can't forward requests to it: set --http_address`,
    );
  }
}
