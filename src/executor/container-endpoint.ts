/**
 * Runs HTTP and TCP checks of a container. Published ports are checked on the host, all others in the network of the
 * container: at its address, or, if the host has no route to that, by a process that joins the container's network, as
 * Mesos' own executors do.
 */

import { execFile } from 'node:child_process';
import type { ContainerInfo, DockerEngine } from '../docker/engine.ts';
import { checkEndpoint, PROXY_HOLD_MS } from '../health/endpoint.ts';
import type { CheckResult } from '../health/health.ts';
import type { HealthCheck } from '../mesos/types.ts';

/** The first argument of this program for one check in the network of a container (main.ts). */
const CHECK_COMMAND = 'check-endpoint';

/** Where the ports of a container are that are not published on the host. */
export type Place =
  /** In the network of the host. */
  | { readonly type: 'host' }
  /** At an address that the host has a route to. */
  | { readonly type: 'address'; readonly host: string }
  /** In a network that the process `pid` is in; without a host, at the loopback address. */
  | { readonly type: 'inside'; readonly pid: number; readonly host: string | undefined };

/** @returns undefined if the container does not run */
export async function findPlace(
  engine: DockerEngine,
  container: string,
  check: HealthCheck,
): Promise<Place | undefined> {
  const info = await engine.inspectContainer(container);
  if (info?.State.Running !== true) return undefined;
  if (info.HostConfig.NetworkMode === 'host') return { type: 'host' };
  const { address: host, network } = mainNetwork(info, (check.http ?? check.tcp)?.protocol);
  const driver = network === undefined ? undefined : (await engine.inspectNetwork(network))?.Driver;
  // The host is a part of Docker's bridges only.
  if (driver === 'bridge' && host !== undefined) return { type: 'address', host };
  return { type: 'inside', pid: info.State.Pid, host };
}

export interface PortCheck {
  check: HealthCheck;
  /** The address that published ports are bound to; undefined for all addresses of the host. */
  publishAddress: string | undefined;
  /** Aborts the check, which then throws the signal's reason. */
  signal: AbortSignal;
}

/** Runs the check once. The result is `unknown` if it can't be run. */
export function checkAt(place: Place, { check, publishAddress, signal }: PortCheck): Promise<CheckResult> {
  switch (place.type) {
    case 'host':
      return checkEndpoint(check, {
        host: publishAddress,
        holdMs: PROXY_HOLD_MS,
        readsStatuses: true,
        signal,
      });
    case 'address':
      return checkEndpoint(check, { host: place.host, readsStatuses: true, signal });
    case 'inside':
      return checkInside(place.pid, { check, host: place.host }, signal);
  }
}

/** @returns the port of an HTTP or TCP check */
export function portOf({ http, tcp }: HealthCheck): number {
  return (http ?? tcp)?.port ?? 0;
}

interface MainNetwork {
  /** The network's id; undefined if the container shares the network of another one. */
  readonly network: string | undefined;
  readonly address: string | undefined;
}

/** Finds the network with which the container was created, and its address of the protocol there. */
function mainNetwork(
  { NetworkSettings, HostConfig }: Pick<ContainerInfo, 'NetworkSettings' | 'HostConfig'>,
  protocol: 'IPv4' | 'IPv6' = 'IPv4',
): MainNetwork {
  const networks = Object.entries(NetworkSettings.Networks);
  const mode = HostConfig.NetworkMode === 'default' ? 'bridge' : HostConfig.NetworkMode;
  const [, main] =
    networks.find(([name, { NetworkID }]) => name === mode || NetworkID === mode) ?? networks[0] ?? [];
  const { IPAddress, GlobalIPv6Address } = main ?? {};
  const address = protocol === 'IPv6' ? GlobalIPv6Address : IPAddress || GlobalIPv6Address;
  return { network: main?.NetworkID, address: address || undefined };
}

/** What a process in the network of a container is asked to do. Without a host, it checks the loopback address. */
interface Inside {
  readonly check: HealthCheck;
  readonly host: string | undefined;
}

/** @param pid a process of the container */
function checkInside(pid: number, inside: Inside, signal: AbortSignal): Promise<CheckResult> {
  const program = [process.execPath, process.argv[1] ?? '', CHECK_COMMAND];
  return new Promise((resolve) => {
    const child = execFile(
      'nsenter',
      ['--target', String(pid), '--net', '--', ...program],
      // Without the variables of Mesos: with them, the program would be a worker.
      { env: { PATH: process.env.PATH }, signal },
      (error, stdout, stderr) => {
        if (!error) {
          resolve(JSON.parse(stdout) as CheckResult);
          return;
        }
        const why = stderr.trim() === '' ? error.message : stderr.trim();
        resolve({ type: 'unknown', why: `the network of the container can't be joined: ${why}` });
      },
    );
    // A program that has ended without reading reports that by its exit status.
    child.stdin?.on('error', () => {});
    child.stdin?.end(JSON.stringify(inside));
  });
}

/** Runs one check from standard input and writes its result to standard output. */
export async function checkFromInput(): Promise<void> {
  let text = '';
  for await (const chunk of process.stdin) text += chunk;
  const { check, host } = JSON.parse(text) as Inside;
  const { signal } = new AbortController();
  const result = await checkEndpoint(check, { host, readsStatuses: true, signal });
  process.stdout.write(JSON.stringify(result));
}
