/** Lists the Mesos masters and the schedulers of the cluster, for people who look at them. */

import { isJson } from '../json.ts';
import { messageOf } from '../mesos/http.ts';
import { askMaster, type MasterAccess } from './ask-master.ts';

const FRESH_MS = 5000;
/** A master that takes longer is shown as unreachable: a page is waiting. */
const WITHIN_MS = 2000;

export interface MembersOptions extends Pick<MasterAccess, 'transport' | 'credential'> {
  /** @returns `host:port` of each master */
  readonly masters: () => Promise<readonly string[]>;
  /** @returns `host:port` of each scheduler, the leading one first */
  readonly schedulers: () => Promise<readonly string[]>;
  readonly now: () => number;
}

export interface MasterMember {
  /** `host:port` */
  readonly address: string;
  /** Undefined if it does not say so. */
  readonly leads?: boolean;
  /** Of Mesos. */
  readonly version?: string;
  readonly startedAt?: string;
  /** Why nothing else is known of it. */
  readonly problem?: string;
}

export class Members {
  readonly #options: MembersOptions;
  #reading: { readonly until: number; readonly masters: Promise<readonly MasterMember[]> } | undefined;

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  /** Asks all masters, at most once in 5 s. @throws Error if they can't be found */
  masters(): Promise<readonly MasterMember[]> {
    const { now } = this.#options;
    if (!this.#reading || now() >= this.#reading.until)
      this.#reading = { until: now() + FRESH_MS, masters: this.#readMasters() };
    return this.#reading.masters;
  }

  schedulers(): Promise<readonly string[]> {
    return this.#options.schedulers();
  }

  async #readMasters(): Promise<readonly MasterMember[]> {
    const addresses = await this.#options.masters();
    return Promise.all(addresses.map((address) => this.#readMaster(address)));
  }

  async #readMaster(address: string): Promise<MasterMember> {
    const { transport, credential, now } = this.#options;
    const access = { detect: async () => address, transport, ...(credential && { credential }) };
    try {
      const [version, metrics] = await Promise.all([
        askMaster(access, '/version', WITHIN_MS),
        askMaster(access, '/metrics/snapshot', WITHIN_MS),
      ]);
      return { address, ...describeMaster(version.body, metrics.body, now()) };
    } catch (error) {
      return { address, problem: messageOf(error) };
    }
  }
}

/** Reads a master's answers to `/version` and `/metrics/snapshot`; the second may need rights that the framework has not. */
export function describeMaster(
  version: unknown,
  metrics: unknown,
  now: number,
): Omit<MasterMember, 'address'> {
  const gauge = (name: string) => {
    const value = isJson(metrics) ? metrics[name] : undefined;
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  };
  const [elected, uptime] = [gauge('master/elected'), gauge('master/uptime_secs')];
  return {
    ...(elected !== undefined && { leads: elected > 0 }),
    ...(isJson(version) && typeof version.version === 'string' && { version: version.version }),
    ...(uptime !== undefined && { startedAt: new Date(now - uptime * 1000).toISOString() }),
  };
}

/** @returns the URLs of a scheduler. All schedulers have the same HTTPS port, as documented for `--https_port` */
export function urlsOf(address: string, ports: { http: boolean; https?: number }): readonly string[] {
  const host = address.replace(/:\d+$/, '');
  const secure = ports.http ? `${host}:${ports.https}` : address;
  return [
    ...(ports.http ? [`http://${address}`] : []),
    ...(ports.https === undefined ? [] : [`https://${secure}`]),
  ];
}
