/** The Mesos under test, real or embedded: its addresses, its operator endpoints, and how it is restarted. */

import { exec } from 'node:child_process';
import { promisify } from 'node:util';
import { inject, type TestContext } from 'vitest';
import { readText, send } from '../../../src/mesos/http.ts';
import { type Role, restartEmbedded } from './embedded.ts';

/** The master, `host:port`, as it was given; a master may call itself by another address. */
export const master = inject('master');
const embedded = inject('embedded');

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** One GET; redirects are not followed. */
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

/** One POST of a call, answered in full. */
export async function post(
  address: string,
  path: string,
  call: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = typeof call === 'string' ? call : JSON.stringify(call);
  const answer = await send({ url: new URL(`http://${address}${path}`), body, headers });
  return { status: answer.status, headers: answer.headers, text: await readText(answer.body) };
}

interface Slaves {
  slaves: { id: string; pid: string; active: boolean }[];
}

/**
 * An agent's address. It is taken from its pid, `slave(1)@ip:port`; where it calls itself by a loopback address it
 * is looked for on the master's host.
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

/** True where `restart` has a way to restart it. */
export function canRestart(role: Role): boolean {
  return embedded !== null || Boolean(process.env[RESTART_VARIABLE[role]]);
}

/** Reports a test as skipped where nobody said how a real master or agent is restarted. */
export function skipUnlessRestartable(role: Role, context: TestContext): void {
  const variable = RESTART_VARIABLE[role];
  context.skip(
    !canRestart(role),
    `${variable} is not set; it would hold the command that restarts the ${role}`,
  );
}
