/** The composition root: a single scheduler with a journal, or one of several schedulers that elect a leader. */

import type { Logger } from 'pino';
import type { DaemonOptions } from './flags/options.ts';
import { type Daemon, type Listening, listen } from './listen.ts';
import type { Page } from './page/page.ts';
import { Relays } from './relays.ts';
import { createScheduler } from './scheduler.ts';
import { openJournal } from './store/journal.ts';
import type { Store } from './store/store.ts';

/**
 * Resolves once the API listens. The election and the subscription follow in the background.
 * @param page the web page, which every scheduler serves, whether it leads or not
 * @param onFatal called when the daemon can't continue and must exit at once
 * @throws StoreError, or an Error if the API can't listen
 */
export async function startDaemon(
  options: DaemonOptions,
  log: Logger,
  page: Page,
  onFatal: (message: string) => void,
): Promise<Daemon> {
  if (options.zooKeeper) {
    // Loaded on demand: a single scheduler starts faster without it.
    const { startContender } = await import('./contender.ts');
    return startContender({ options, zooKeeper: options.zooKeeper, createScheduler, log, page, onFatal });
  }
  const warn = (message: string) => log.warn(message);
  const store = await openJournal({ directory: options.dataDirectory, warn });
  try {
    return await startSingle(options, log, page, onFatal, store);
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function startSingle(
  options: DaemonOptions,
  log: Logger,
  page: Page,
  onFatal: (message: string) => void,
  store: Store,
): Promise<Daemon> {
  let port = options.httpPort ?? 0;
  const scheduler = await createScheduler({
    options,
    log,
    store,
    onFatal,
    address: () => `${options.hostname}:${port}`,
    leads: () => true,
  });
  await scheduler.api.ready();
  // No other scheduler forwards requests.
  const relays = new Relays();
  let listening: Listening;
  try {
    listening = await listen(
      options,
      (request, answer) => {
        if (!page.answer(request, answer)) scheduler.api.routing(relays.checked(request), answer);
      },
      (upgrade) => {
        relays.checked(upgrade.request);
        scheduler.upgrade(upgrade);
      },
      (message) => log.warn(message),
    );
  } catch (error) {
    await scheduler.stop();
    throw error;
  }
  port = listening.port;
  const { urls } = listening;
  const fields = { url: urls[0], apps: scheduler.apps, tasks: scheduler.tasks };
  log.info(fields, `listening on ${urls.join(' and ')}`);
  scheduler.start();
  return {
    port,
    stop: async () => {
      listening.refuse();
      await scheduler.stop();
      await listening.close();
      await store.close();
    },
  };
}
