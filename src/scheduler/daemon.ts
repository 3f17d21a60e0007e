/** The composition root: one scheduler alone with its journal, or one of several that elect a leader. */

import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { type Daemon, portTaken } from './listen.ts';
import type { DaemonOptions } from './options.ts';
import { createScheduler } from './scheduler.ts';
import { openJournal } from './store/journal.ts';
import type { Store } from './store/store.ts';

/**
 * Resolves once the API listens; the election and the subscription follow by themselves.
 * @param onFatal called when the daemon can't go on, and must end at once
 * @throws StoreError, or an Error where the API can't listen
 */
export async function startDaemon(
  options: DaemonOptions,
  log: Logger,
  onFatal: (message: string) => void,
): Promise<Daemon> {
  if (options.zooKeeper) {
    // Loaded where it is needed only: a single scheduler starts without.
    const { startContender } = await import('./contender.ts');
    return startContender({ options, zooKeeper: options.zooKeeper, createScheduler, log, onFatal });
  }
  const warn = (message: string) => log.warn(message);
  const store = await openJournal({ directory: options.dataDirectory, warn });
  try {
    return await startAlone(options, log, onFatal, store);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function startAlone(
  options: DaemonOptions,
  log: Logger,
  onFatal: (message: string) => void,
  store: Store,
): Promise<Daemon> {
  const { httpAddress: host } = options;
  let port = options.httpPort;
  const scheduler = await createScheduler({
    options,
    log,
    store,
    onFatal,
    address: () => `${options.hostname}:${port}`,
    leads: () => true,
  });
  try {
    await scheduler.api.listen({ host, port });
  } catch (error) {
    await scheduler.stop();
    throw portTaken(error, host, port);
  }
  port = (scheduler.api.server.address() as AddressInfo).port;
  const url = `http://${host}:${port}`;
  log.info({ url, apps: scheduler.apps, tasks: scheduler.tasks }, `listening on ${url}`);
  scheduler.start();
  return {
    port,
    stop: async () => {
      await scheduler.stop();
      await store.close();
    },
  };
}
