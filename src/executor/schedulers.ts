/**
 * The addresses of the schedulers, from a file of this agent. The executor connects to no other address: whoever can
 * send messages to executors must not choose where they connect.
 */

import { readFile } from 'node:fs/promises';
import { isJson, parseJson } from '../json.ts';

/** Names the file. The installed executor's wrapper sets it; an app can't. */
export const SCHEDULERS_VARIABLE = 'MESOSUP_SCHEDULERS_FILE';

export interface Schedulers {
  /** `http:` or `https:`, a host and a port. */
  readonly urls: readonly URL[];
  /** File of the certificates that verify the schedulers with https. Undefined: as for the agent. */
  readonly ca: string | undefined;
}

/** @throws Error with the file, the field and what is wrong */
export async function readSchedulers(file: string | undefined): Promise<Schedulers> {
  if (file === undefined || file === '')
    throw new Error(`this agent has no addresses of schedulers: ${SCHEDULERS_VARIABLE} is not set`);
  const { schedulers, ca } = parseSchedulers(file, await readFile(file, 'utf8'));
  return { urls: schedulers, ca };
}

/** @throws Error with the file, the field and what is wrong */
export function parseSchedulers(file: string, text: string): { schedulers: URL[]; ca: string | undefined } {
  const content = parseJson(text);
  if (!isJson(content)) throw new Error(`${file} must be a JSON object`);
  const { schedulers, ca, ...unknown } = content;
  const [field] = Object.keys(unknown);
  if (field !== undefined) throw new Error(`${file}: the field ${field} is unknown`);
  if (!Array.isArray(schedulers) || schedulers.length === 0)
    throw new Error(`${file}: schedulers must be a list of addresses such as http://10.0.0.1:8080`);
  if (ca !== undefined && typeof ca !== 'string') throw new Error(`${file}: ca must be the path of a file`);
  return { schedulers: schedulers.map((one, i) => urlOf(one, `${file}: schedulers[${i}]`)), ca };
}

function urlOf(value: unknown, where: string): URL {
  const url = typeof value === 'string' ? URL.parse(value) : null;
  if (url && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.search === '') return url;
  throw new Error(`${where} must be an address such as http://10.0.0.1:8080`);
}
