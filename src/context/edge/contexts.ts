/** The contexts of this user: added clusters, clusters installed from this machine, and the running demo. */

import path from 'node:path';
import { ClusterState, knownClusters, stateHome } from '../../cluster/edge/cluster-state.ts';
import type { Secrets } from '../../cluster/secrets.ts';
import { type ClusterUrls, urlsOfCluster } from '../../cluster/urls.ts';
import { type DemoState, demoDirectory, inspectDirectory } from '../../demo/directory.ts';
import { MesosupError, UsageError } from '../../errors/mesosup-error.ts';
import { type Choice, type Context, checkUrl, chooseContext } from '../context.ts';
import type { StoredContext, StoredContexts } from '../stored-contexts.ts';
import { changeContexts, contextsPath, readContexts } from './context-file.ts';

/** The user that the installer creates in the API of each cluster. */
const API_USER = 'mesosup';
const DEMO = 'demo';

interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  readonly home: string;
}

export function nameIsTaken(name: string): UsageError {
  return new UsageError(`there is already a context "${name}"`, {
    remedy: `Choose another name, or remove it first: mesosup context remove ${name}`,
  });
}

export class Contexts {
  readonly file: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #stateHome: string;

  constructor({ environment, home }: Surroundings) {
    this.#environment = environment;
    this.file = contextsPath(environment, home);
    this.#stateHome = stateHome(environment, home);
  }

  /** Finds the context that a command uses. @throws UsageError, MesosupError */
  async choose(flag: string | undefined, where = '--context'): Promise<Context> {
    const stored = await readContexts(this.file);
    const { MESOSUP_CONTEXT, MESOSUP_URL, MESOSUP_TOKEN } = this.#environment;
    const environment = { MESOSUP_CONTEXT, MESOSUP_URL, MESOSUP_TOKEN };
    const choice: Choice = { flag, where, environment, current: stored.current };
    const chosen = chooseContext(choice, await this.#names(stored));
    const context = 'url' in chosen ? contextOfUrl(chosen.url) : await this.#context(chosen.name, stored);
    if (context.urls.length === 0) {
      throw new MesosupError(
        `the cluster ${context.name} has no scheduler: no host has the role "scheduler"`,
      );
    }
    return MESOSUP_TOKEN ? { ...context, credentials: { kind: 'token', token: MESOSUP_TOKEN } } : context;
  }

  /** @returns false if nothing selects a context, and there is none; true also if the selected one no longer exists */
  async hasChoice(flag: string | undefined): Promise<boolean> {
    const { MESOSUP_CONTEXT, MESOSUP_URL } = this.#environment;
    if (flag !== undefined || MESOSUP_CONTEXT || MESOSUP_URL) return true;
    const stored = await readContexts(this.file);
    return stored.current !== undefined || (await this.#names(stored)).length > 0;
  }

  /** @returns all contexts, sorted by name, and the name of the one in use */
  async list(): Promise<{ readonly contexts: readonly Context[]; readonly current?: string | undefined }> {
    const stored = await readContexts(this.file);
    const names = await this.#names(stored);
    const contexts = await Promise.all(names.map((name) => this.#context(name, stored)));
    return { contexts, current: stored.current };
  }

  /** The names of all contexts, sorted. */
  async names(): Promise<string[]> {
    return this.#names(await readContexts(this.file));
  }

  async use(name: string): Promise<void> {
    await changeContexts(this.file, (stored) => ({ ...stored, current: name }));
  }

  /** @throws UsageError if a context with this name was added in the meantime */
  async add(context: StoredContext): Promise<void> {
    await changeContexts(this.file, (stored) => {
      if (stored.contexts.some(({ name }) => name === context.name)) throw nameIsTaken(context.name);
      return { ...stored, contexts: [...stored.contexts, context] };
    });
  }

  /** @returns false if no context with this name was added */
  async remove(name: string): Promise<boolean> {
    let isRemoved = false;
    await changeContexts(this.file, ({ current, contexts }) => {
      const others = contexts.filter((one) => one.name !== name);
      isRemoved = others.length < contexts.length;
      return { ...(current !== name && { current }), contexts: others };
    });
    return isRemoved;
  }

  async #names({ contexts }: StoredContexts): Promise<string[]> {
    const [installed, demo] = await Promise.all([knownClusters(this.#stateHome), this.#demo()]);
    const added = contexts.map(({ name }) => name);
    return [...new Set([...added, ...installed, ...(demo ? [DEMO] : [])])].sort();
  }

  async #context(name: string, { contexts }: StoredContexts): Promise<Context> {
    const added = contexts.find((one) => one.name === name);
    if (added) return addedContext(added);
    const state = new ClusterState(path.join(this.#stateHome, name));
    const installed = await urlsOf(state);
    if (installed) return installedContext(name, installed, await state.secrets(), state.authorityFile);
    const demo = await this.#demo();
    if (name === DEMO && demo) {
      return { name, source: 'demo', urls: [demo.schedulerUrl] };
    }
    throw new MesosupError(`the context "${name}" no longer exists`);
  }

  async #demo(): Promise<DemoState | undefined> {
    const directory = demoDirectory(process.getuid?.() ?? 0, this.#environment);
    const found = await inspectDirectory(directory).catch(() => undefined);
    return found?.kind === 'up' ? found.state : undefined;
  }
}

function addedContext({ name, urls, user, password, token, caFile }: StoredContext): Context {
  const credentials: Context['credentials'] =
    token !== undefined
      ? { kind: 'token', token }
      : user !== undefined
        ? { kind: 'password', user, password: password ?? '' }
        : undefined;
  return { name, source: 'added', urls, credentials, caFile };
}

function contextOfUrl(text: string): Context {
  const urls = text.split(',').map((url) => checkUrl(url.trim(), 'MESOSUP_URL'));
  return { name: 'MESOSUP_URL', source: 'environment', urls };
}

async function urlsOf(state: ClusterState): Promise<ClusterUrls | undefined> {
  const kept = await state.urls();
  if (kept) return kept;
  const cluster = await state.cluster();
  return cluster && urlsOfCluster(cluster, {});
}

function installedContext(
  name: string,
  { schedulers }: ClusterUrls,
  secrets: Secrets | undefined,
  authorityFile: string,
): Context {
  return {
    name,
    source: 'installed',
    urls: schedulers,
    ...(secrets?.tls && { caFile: authorityFile }),
    ...(secrets && { credentials: { kind: 'password', user: API_USER, password: secrets.api } }),
  };
}
