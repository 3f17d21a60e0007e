/** The Mesos under test, real or embedded: addresses, operator endpoints, and restarts. */

import { exec } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { inject, type TestContext } from 'vitest';
import { send } from '../../../src/mesos/http.ts';
import { type Role, restartEmbedded } from './embedded.ts';

/** The configured master, `host:port`. A master may publish another address. */
export const master = inject('master');
const embedded = inject('embedded');

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** Sends a GET. Redirects are not followed. */
export async function get(address: string, path: string): Promise<Answer> {
  const response = await fetch(`http://${address}${path}`, { redirect: 'manual' });
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text: await response.text(),
  };
}

export async function getJson<T>(address: string, path: string): Promise<T> {
  const response = await fetch(`http://${address}${path}`);
  if (response.status !== 200) throw new Error(`GET ${address}${path} was answered ${response.status}`);
  return (await response.json()) as T;
}

/** Sends a call by POST and reads the complete answer. */
export async function post(
  address: string,
  path: string,
  call: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = typeof call === 'string' ? call : JSON.stringify(call);
  const answer = await send({ url: new URL(`http://${address}${path}`), body, headers });
  return { status: answer.status, headers: answer.headers, text: await text(answer.body) };
}

/** Ends a framework with all its tasks. */
export async function tearDown(frameworkId: string): Promise<void> {
  const body = new URLSearchParams({ frameworkId });
  const answer = await fetch(`http://${master}/teardown`, { method: 'POST', body });
  if (!answer.ok) throw new Error(`POST /teardown was answered ${answer.status}: ${await answer.text()}`);
}

interface Slaves {
  slaves: { id: string; pid: string; active: boolean }[];
}

/**
 * Returns an agent's address, from its pid, `slave(1)@ip:port`. A loopback address is replaced by the master's host.
 */
export async function agentAddress(agentId?: string): Promise<string> {
  const { slaves } = await getJson<Slaves>(master, '/slaves');
  const agent = agentId === undefined ? slaves[0] : slaves.find(({ id }) => id === agentId);
  if (!agent) throw new Error(`the master at ${master} has no agent ${agentId ?? ''}`);
  const [ip = '', port = ''] = agent.pid.slice(agent.pid.indexOf('@') + 1).split(':');
  const host = ip.startsWith('127.') ? master.slice(0, master.lastIndexOf(':')) : ip;
  return `${host}:${port}`;
}

const RESTART_VARIABLE = {
  master: 'MESOSUP_TEST_RESTART_MASTER',
  agent: 'MESOSUP_TEST_RESTART_AGENT',
} as const;

/** Restarts the master or the agent. */
export async function restart(role: Role): Promise<void> {
  if (embedded) await restartEmbedded(embedded, role);
  else await promisify(exec)(process.env[RESTART_VARIABLE[role]] ?? 'false');
}

/** True if `restart` can restart it. */
export function canRestart(role: Role): boolean {
  return embedded !== null || Boolean(process.env[RESTART_VARIABLE[role]]);
}

/** Skips a test if no command to restart a real master or agent is configured. */
export function skipUnlessRestartable(role: Role, context: TestContext): void {
  const variable = RESTART_VARIABLE[role];
  context.skip(
    !canRestart(role),
    `${variable} is not set; it would hold the command that restarts the ${role}`,
  );
}
