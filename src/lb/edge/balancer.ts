/** Keeps haproxy in line with the scheduler. */

import { createHash } from 'node:crypto';
import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from 'pino';
import { blame } from '../blame.ts';
import { certificateList, type FileName, mapText } from '../configuration.ts';
import type { LbMetrics } from '../metrics.ts';
import type { LbOptions } from '../options.ts';
import {
  type LeftOut,
  type Plan,
  type PlanOptions,
  plan,
  type Running,
  slotsBeforeReload,
  withoutReload,
} from '../plan.ts';
import { NO_CLAIMS, type Routing } from '../routing.ts';
import { refusedAnswer, runtimeCommands } from '../runtime-commands.ts';
import { addressHosts, type BalancedApp, combine, type Snapshot } from '../snapshot.ts';
import type { LbState } from '../stored-state.ts';
import { type Haproxy, RefusedError } from './haproxy.ts';
import { HostNames } from './host-names.ts';
import { readCertificates, readTemplates } from './operator-files.ts';
import { portProblem } from './port-problem.ts';
import { StatisticsTls } from './statistics-tls.ts';

/** A different framework is believed after this time: until then it may be a scheduler that has lost its state. */
const TRUST_MS = 5 * 60_000;
/** A port that another program had is tried again after this time. */
const PORT_RETRY_MS = 30_000;
/** A name without an address may only have needed longer than one change waits. */
const NAME_RETRY_MS = 5000;
const MAX_ATTEMPTS = 20;

interface Excluded {
  readonly why: string;
  /** The app's labels and ports with the templates when it was refused, or the fingerprint of the certificate. */
  readonly signature: string;
}

interface OperatorFiles {
  readonly certificates: ReadonlyMap<string, string>;
  readonly templates: ReadonlyMap<string, string>;
}

interface Surroundings {
  readonly options: PlanOptions;
  readonly certificates: ReadonlyMap<string, string>;
}

export class Balancer {
  readonly #options: LbOptions;
  readonly #haproxy: Haproxy;
  readonly #statistics: StatisticsTls;
  readonly #metrics: LbMetrics;
  readonly #log: Logger;
  readonly #names: HostNames;
  readonly #maps = new Map<string, string>();
  readonly #apps = new Map<string, Excluded>();
  readonly #certificates = new Map<string, Excluded>();
  readonly #ports = new Map<number, { readonly why: string; readonly until: number }>();
  #files: OperatorFiles | undefined;
  #state: LbState | undefined;
  #running: Running | undefined;
  /** False if haproxy has other servers than its configuration file. */
  #isStored = true;
  #reloadedAt = Number.NEGATIVE_INFINITY;
  #otherSince: number | undefined;
  #told = new Set<string>();

  constructor(
    options: LbOptions,
    haproxy: Haproxy,
    metrics: LbMetrics,
    log: Logger,
    state?: LbState,
    names = new HostNames(),
  ) {
    this.#options = options;
    this.#haproxy = haproxy;
    this.#statistics = new StatisticsTls(options, (message) => log.error(message));
    this.#metrics = metrics;
    this.#log = log;
    this.#state = state;
    this.#names = names;
  }

  get state(): LbState | undefined {
    return this.#state;
  }

  /** Takes an answer of the scheduler. */
  take(answer: Snapshot, now: number): void {
    const before = this.#state;
    const isOther = before !== undefined && before.snapshot.frameworkId !== answer.frameworkId;
    if (isOther && this.#otherSince === undefined) {
      this.#log.warn('another framework answers: apps and tasks that it does not know stay for now');
    }
    this.#otherSince = isOther ? (this.#otherSince ?? now) : undefined;
    const trusted = this.#otherSince !== undefined && now - this.#otherSince >= TRUST_MS;
    this.#state = {
      claims: NO_CLAIMS,
      slots: new Map(),
      ...before,
      snapshot: combine(before?.snapshot, answer, trusted),
    };
  }

  /**
   * Brings haproxy in line with the last answer.
   * @returns milliseconds after which it must be called again, because a reload is not due or a name is not known yet; 0 if all is done
   * @throws Error if haproxy refuses the configuration as a whole, or a file can't be written
   */
  async apply(now: number): Promise<number> {
    const state = this.#state;
    if (!state) return 0;
    const unknown = await this.#names.refresh(addressHosts(state.snapshot), now);
    const again = unknown.length > 0 ? NAME_RETRY_MS : 0;
    const surroundings = await this.#surroundings();
    const wanted = await this.#plan(state, surroundings, now);
    this.#tell(wanted, unknown);
    const commands = withoutReload(this.#running, wanted);
    if (commands) {
      if (commands.length === 0) return again;
      await this.#writeQuietly(wanted);
      if (await this.#change(commands, wanted.slots)) return again;
    } else if (this.#running) {
      // Tasks that have ended lose their places now: the reload may have to wait, and haproxy may refuse it.
      const slots = slotsBeforeReload(this.#running.slots, wanted.slots);
      this.#isStored = false;
      await this.#change(runtimeCommands(this.#running.slots, slots), slots);
      const wait = this.#reloadedAt + this.#options.reloadIntervalMs - now;
      if (wait > 0) return wait;
    }
    await this.#reload(state, wanted, surroundings, now);
    return again;
  }

  /** Starts haproxy with its last configuration, if it is not running. @returns whether it was @throws Error */
  async revive(): Promise<boolean> {
    if ((await this.#haproxy.isRunning()) || !(await this.#haproxy.isConfigured())) return true;
    this.#log.warn('haproxy is not running: starting it with its last configuration');
    try {
      await this.#haproxy.load();
    } catch (error) {
      // The next configuration is loaded as a whole.
      this.#running = undefined;
      throw error;
    }
    this.#metrics.reloads.inc();
    // The file has older servers.
    if (!this.#isStored) this.#running = undefined;
    return false;
  }

  async #surroundings(): Promise<Surroundings> {
    const files = await this.#operatorFiles();
    const certificates = new Map(files.certificates);
    const { templates } = files;
    for (const [name, { signature }] of this.#certificates) {
      if (certificates.get(name) === signature) certificates.delete(name);
      else this.#certificates.delete(name);
    }
    const statsTls = await this.#statistics.current();
    const { groups, reserved, allowLabelTemplates, sharesHosts, haproxyUser } = this.#options;
    return {
      certificates,
      options: {
        routing: {
          certificates: new Set(certificates.keys()),
          templates,
          allowLabelTemplates,
          groups,
          reserved,
          sharesHosts,
        },
        configuration: {
          ...this.#options,
          socket: this.#haproxy.socket,
          user: process.getuid?.() === 0 ? haproxyUser : undefined,
          certificates,
          templates,
          statsTls,
        },
        resolve: this.#names.resolve,
        mapFile: (name, routing) => this.#mapFile(name, routing, certificates.keys()),
      },
    };
  }

  /** A directory that can't be read, later than at the start, stops no other change. */
  async #operatorFiles(): Promise<OperatorFiles> {
    const { certificateDirectory, templateDirectory } = this.#options;
    try {
      this.#files = {
        certificates: await readCertificates(certificateDirectory),
        templates: await readTemplates(templateDirectory),
      };
    } catch (error) {
      if (!this.#files) throw error;
      this.#log.error(`${(error as Error).message}: the files that were read last still count`);
    }
    return this.#files;
  }

  async #plan(state: LbState, { options }: Surroundings, now: number): Promise<Plan> {
    for (const app of state.snapshot.apps) {
      const excluded = this.#apps.get(app.id);
      if (excluded && excluded.signature !== this.#signatureOf(app)) this.#apps.delete(app.id);
    }
    for (const [port, { until }] of this.#ports) if (until <= now) this.#ports.delete(port);
    const first = plan(state, this.#leftOut(), options);
    const known = this.#ports.size;
    // A reload that can't use a port would pause all others for a moment.
    for (const { port, settings } of first.routing.services) {
      if (port === undefined || this.#ports.has(port)) continue;
      if (this.#running?.structure.includes(`\nfrontend port-${port}\n`)) continue;
      if (this.#running === undefined && (await this.#haproxy.isRunning())) continue;
      const why = await portProblem(settings.bindAddress ?? this.#options.address, port);
      if (why !== undefined) this.#ports.set(port, { why, until: now + PORT_RETRY_MS });
    }
    return this.#ports.size === known ? first : plan(state, this.#leftOut(), options);
  }

  async #reload(state: LbState, first: Plan, surroundings: Surroundings, now: number): Promise<void> {
    let wanted = first;
    let { certificates } = surroundings;
    let { options } = surroundings;
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#writeMaps();
        await this.#haproxy.replace(textOf(wanted));
        break;
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error;
        this.#metrics.refused.inc();
        const found = blame(error.message, wanted.configuration.lines, certificates.keys());
        this.#log.error({ haproxy: error.message.slice(0, 2000) }, 'haproxy refuses the configuration');
        if (found.apps.size + found.certificates.size + found.ports.size === 0 || attempt >= MAX_ATTEMPTS) {
          throw new Error(`haproxy refuses the configuration, and keeps the last one: ${error.message}`);
        }
        this.#exclude(state, found, certificates);
        for (const [port, why] of found.ports) this.#ports.set(port, { why, until: now + PORT_RETRY_MS });
        ({ certificates, options } = await this.#surroundings());
        wanted = plan(state, this.#leftOut(), options);
      }
    }
    this.#reloadedAt = now;
    this.#metrics.reloads.inc();
    this.#done(wanted, wanted.slots);
    this.#tell(wanted, []);
    await this.#removeOldMaps();
    await this.#haproxy.trimLog();
  }

  #exclude(state: LbState, found: ReturnType<typeof blame>, certificates: ReadonlyMap<string, string>): void {
    for (const [name, why] of found.certificates) {
      this.#certificates.set(name, { why, signature: certificates.get(name) ?? '' });
      this.#log.error({ certificate: name, why }, 'certificate is left out');
    }
    for (const app of state.snapshot.apps) {
      const why = found.apps.get(app.id);
      if (why === undefined) continue;
      this.#apps.set(app.id, { why, signature: this.#signatureOf(app) });
    }
  }

  #signatureOf({ labels, ports }: BalancedApp): string {
    return JSON.stringify([labels, ports, [...(this.#files?.templates ?? [])]]);
  }

  #leftOut(): LeftOut {
    return {
      apps: new Map([...this.#apps].map(([id, { why }]) => [id, why])),
      ports: new Map([...this.#ports].map(([port, { why }]) => [port, why])),
    };
  }

  /** @returns false if haproxy must be reloaded instead */
  async #change(commands: readonly string[], slots: Plan['slots']): Promise<boolean> {
    if (!this.#running) return false;
    try {
      const refusal = commands.length === 0 ? undefined : refusedAnswer(await this.#haproxy.send(commands));
      if (refusal !== undefined) throw new Error(refusal);
    } catch (error) {
      this.#log.warn(
        { why: (error as Error).message },
        'servers could not be changed at run time: reloading',
      );
      this.#running = undefined;
      return false;
    }
    this.#metrics.runtimeChanges.inc(commands.length);
    this.#running = { ...this.#running, slots };
    if (this.#state) this.#state = { ...this.#state, slots };
    // haproxy logs each change.
    await this.#haproxy.trimLog().catch(() => undefined);
    return true;
  }

  #done({ configuration, routing }: Plan, slots: Plan['slots']): void {
    this.#running = { structure: configuration.structure, slots };
    this.#isStored = true;
    if (this.#state) this.#state = { ...this.#state, claims: routing.claims, slots };
  }

  /** The file is only read by the next start of haproxy: traffic does not depend on it. */
  async #writeQuietly(wanted: Plan): Promise<void> {
    try {
      await this.#haproxy.write(textOf(wanted));
      this.#isStored = true;
    } catch (error) {
      this.#isStored = false;
      this.#log.error({ why: (error as Error).message }, `${this.#haproxy.configuration} can't be written`);
    }
  }

  #mapFile(name: FileName, { hosts }: Routing, certificates: Iterable<string>): string {
    const text =
      name === 'certificates'
        ? certificateList(certificates, this.#options.certificateDirectory)
        : mapText(name, hosts);
    const file = path.join(
      this.#options.dataDirectory,
      `${name}-${createHash('sha256').update(text).digest('hex').slice(0, 16)}.map`,
    );
    this.#maps.set(file, text);
    return file;
  }

  async #writeMaps(): Promise<void> {
    for (const [file, text] of this.#maps) await writeFile(file, text, { mode: 0o600 });
  }

  async #removeOldMaps(): Promise<void> {
    const { dataDirectory } = this.#options;
    for (const name of await readdir(dataDirectory)) {
      const file = path.join(dataDirectory, name);
      if (name.endsWith('.map') && !this.#running?.structure.includes(file)) await rm(file, { force: true });
    }
    this.#maps.clear();
  }

  /** Logs each problem once. */
  #tell({ problems, routing, slots }: Plan, unknownHosts: readonly string[]): void {
    const texts = new Map(
      problems.map(({ appId, text }) => [`${appId}: ${text}`, { app: appId, problem: text }]),
    );
    for (const host of unknownHosts) {
      texts.set(host, {
        app: '',
        problem: `the address of ${host} can't be found: its tasks get no requests`,
      });
    }
    for (const [key, { app, problem }] of texts) {
      if (!this.#told.has(key)) this.#log.warn({ ...(app !== '' && { app }) }, problem);
    }
    this.#told = new Set(texts.keys());
    this.#metrics.problems.set(texts.size);
    this.#metrics.services.set(routing.services.length);
    const places = [...slots.values()].flatMap((backend) => backend.slots.filter(({ server }) => server));
    this.#metrics.servers.set(places.length);
  }
}

function textOf({ configuration }: Plan): string {
  return `${configuration.lines.map(({ text }) => text).join('\n')}\n`;
}
