/**
 * Reads files of sandboxes by the files API of agents: `/files/read` and `/files/browse`. Source: `files.cpp` of Mesos.
 * The API confines a path to the executor's sandbox, but follows links within it.
 */

import type { Agent } from 'node:http';
import { isJson, parseJson } from '../../json.ts';
import { basicAuthorization, type Credential, createPool, messageOf, send } from '../../mesos/http.ts';
import type { Transport } from '../../tls/connect.ts';
import { type AgentAddresses, AgentError } from './agent-addresses.ts';

/** Mesos reads at most 16 pages at once. */
export const MAX_READ_BYTES = 16 * 4096;

/** An executor's sandbox. */
export interface Sandbox {
  readonly agentId: string;
  /** Names the agent in errors. */
  readonly host: string;
  readonly frameworkId: string;
  readonly executorId: string;
}

export interface Entry {
  readonly name: string;
  readonly size: number;
  /** As `ls` shows it, of the file that a link leads to: `-rw-r--r--`. */
  readonly mode: string;
  /** Seconds since the epoch. */
  readonly mtime: number;
}

/** A task may create any number of files: 32 MiB list about 100,000. */
const MAX_ANSWER_BYTES = 32 << 20;

const WITHIN_MS = 10_000;
const MAX_CONNECTIONS = 16;

export class AgentFiles {
  readonly #agents: AgentAddresses;
  readonly #credential: Credential | undefined;
  readonly #transport: Transport | undefined;
  readonly #connections: Agent;

  constructor(agents: AgentAddresses, credential: Credential | undefined, transport?: Transport) {
    this.#agents = agents;
    this.#credential = credential;
    this.#transport = transport;
    this.#connections = createPool(MAX_CONNECTIONS, transport);
  }

  /**
   * @param path relative to the sandbox
   * @returns at most 64 KiB from the offset; empty at the end; undefined if there is no such file
   * @throws AgentError
   */
  async read(sandbox: Sandbox, path: string, offset: number, length: number): Promise<Buffer | undefined> {
    const body = await this.#get(sandbox, 'read', path, { offset, length: Math.min(length, MAX_READ_BYTES) });
    if (body === undefined) return undefined;
    // Bytes that are not ASCII are sent as they are, or by old releases as \u00XX: both are Latin-1.
    const answer = parseJson(body.toString('latin1'));
    if (isJson(answer) && typeof answer.data === 'string') return Buffer.from(answer.data, 'latin1');
    throw notFiles(sandbox);
  }

  /** @returns the entries of a directory; undefined if there is no such directory @throws AgentError */
  async list(sandbox: Sandbox, path: string): Promise<Entry[] | undefined> {
    const body = await this.#get(sandbox, 'browse', path);
    if (body === undefined) return undefined;
    const answer = parseJson(body.toString('utf8'));
    if (!Array.isArray(answer)) throw notFiles(sandbox);
    return answer.filter(isJson).map((entry) => ({
      name: String(entry.path).split('/').at(-1) ?? '',
      size: Number(entry.size),
      mode: String(entry.mode),
      mtime: Number(entry.mtime),
    }));
  }

  close(): void {
    this.#connections.destroy();
  }

  /** @returns undefined for a missing file */
  async #get(
    sandbox: Sandbox,
    action: 'read' | 'browse',
    path: string,
    query: Readonly<Record<string, number>> = {},
  ): Promise<Buffer | undefined> {
    const { agentId, host, frameworkId, executorId } = sandbox;
    const scheme = this.#transport?.scheme ?? 'http';
    const url = new URL(`${scheme}://${await this.#agents.addressOf(agentId)}/files/${action}`);
    const root = `/frameworks/${frameworkId}/executors/${executorId}/runs/latest`;
    url.searchParams.set('path', path === '' ? root : `${root}/${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    const signal = AbortSignal.timeout(WITHIN_MS);
    let status: number;
    let body: Buffer | undefined;
    try {
      const answer = await send({
        url,
        method: 'GET',
        agent: this.#connections,
        repeatable: true,
        signal,
        ...(this.#credential && { headers: { Authorization: basicAuthorization(this.#credential) } }),
      });
      status = answer.status;
      body = await readAtMost(MAX_ANSWER_BYTES, answer.body);
    } catch (error) {
      this.#agents.forget(agentId);
      if (signal.aborted) {
        throw new AgentError(`The agent on ${host} (${url.host}) did not answer within 10 s`, 504);
      }
      throw new AgentError(`The agent on ${host} (${url.host}) can't be reached: ${messageOf(error)}`, 502);
    }
    if (body === undefined) {
      const mib = MAX_ANSWER_BYTES >> 20;
      throw new AgentError(
        `The agent on ${host} (${url.host}) answered with more than ${mib} MiB: the directory has too many files`,
        502,
      );
    }
    if (status === 200) return body;
    if (status === 404) return undefined;
    if (status === 401 || status === 403) {
      throw new AgentError(
        `The agent on ${host} (${url.host}) answered ${status}: set --agent_credential_file to a principal that may access sandboxes`,
        502,
      );
    }
    const reason = body.toString('utf8', 0, 300).trim();
    throw new AgentError(`The agent on ${host} (${url.host}) answered ${status}: ${reason}`, 502);
  }
}

/** @returns undefined if there are more bytes */
async function readAtMost(limit: number, body: AsyncIterable<Buffer>): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function notFiles({ host }: Sandbox): AgentError {
  return new AgentError(`The agent on ${host} does not answer like a Mesos agent`, 502);
}
