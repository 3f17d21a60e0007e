/** Runs HTTP and TCP health checks of endpoints on this machine. */

import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HealthCheck } from '../mesos/types.ts';
import { type CheckResult, type HttpResponse, timeoutMs, timeoutText } from './health.ts';

/**
 * For `holdMs`: Docker's proxy accepts every connection to a published port on its own host, and closes it immediately if
 * nothing listens in the container.
 */
export const PROXY_HOLD_MS = 250;

export interface EndpointOptions {
  /** Address of the task's ports. If undefined or a wildcard, the loopback address of the check's protocol is used. */
  host?: string | undefined;
  /**
   * Time that a TCP connection must stay open without data, in milliseconds: PROXY_HOLD_MS for published ports.
   */
  holdMs?: number;
  /** Use the check's `statuses`. */
  readsStatuses?: boolean;
  /** Include the response in the result. */
  keepsResponse?: boolean;
  /** Aborts the check, which then throws the signal's reason. */
  signal: AbortSignal;
}

/**
 * Runs an HTTP or TCP check once. Does not follow redirects, read the answer's body or verify certificates (like
 * Mesos).
 */
export async function checkEndpoint(check: HealthCheck, options: EndpointOptions): Promise<CheckResult> {
  const limit = timeoutMs(check);
  const timeout = limit === undefined ? undefined : AbortSignal.timeout(limit);
  const signal = timeout ? AbortSignal.any([timeout, options.signal]) : options.signal;
  try {
    if (check.type === 'HTTP') return await checkHttp(check, { ...options, signal });
    return await checkTcp(check, { ...options, signal });
  } catch (error) {
    options.signal.throwIfAborted();
    return { type: 'failed', why: timeout?.aborted ? timeoutText(limit) : reasonOf(error) };
  }
}

async function checkHttp(check: HealthCheck, options: EndpointOptions): Promise<CheckResult> {
  const { port = 0, path = '/', scheme, statuses = [], protocol } = check.http ?? {};
  const { status, contentType, body } = await answerOf(scheme === 'https', options.keepsResponse ?? false, {
    host: hostOf(options.host, protocol),
    port,
    path,
    agent: false,
    signal: options.signal,
    headers: { 'User-Agent': 'mesosup-health-check', Accept: '*/*' },
  });
  const own = options.readsStatuses === true && statuses.length > 0;
  const healthy = own ? statuses.includes(status) : status >= 200 && status < 400;
  const response = options.keepsResponse ? { response: { status, contentType, body } } : {};
  return healthy ? { type: 'passed', ...response } : { type: 'failed', why: `HTTP ${status}`, ...response };
}

const MAX_BODY_BYTES = 10 * 1024;

async function answerOf(secure: boolean, readsBody: boolean, options: RequestOptions): Promise<HttpResponse> {
  const outgoing = secure ? requestHttps({ ...options, rejectUnauthorized: false }) : requestHttp(options);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.on('error', reject);
    outgoing.end();
  });
  const { statusCode: status = 0, headers } = answer;
  const body = readsBody ? await beginningOf(answer) : '';
  outgoing.destroy();
  return { status, contentType: headers['content-type'] ?? '', body };
}

/** The answer has its status already: an incomplete body is not an error. */
async function beginningOf(answer: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      pieces.push(piece);
      length += piece.length;
      if (length >= MAX_BODY_BYTES) break;
    }
  } catch {}
  return Buffer.concat(pieces).subarray(0, MAX_BODY_BYTES).toString();
}

async function checkTcp(check: HealthCheck, options: EndpointOptions): Promise<CheckResult> {
  const { port = 0, protocol } = check.tcp ?? {};
  const { signal } = options;
  const holdMs = Math.min(options.holdMs ?? 0, (timeoutMs(check) ?? Number.POSITIVE_INFINITY) / 2);
  const socket = connect({ host: hostOf(options.host, protocol), port, signal });
  try {
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.on('error', reject);
    });
    if (holdMs === 0) return { type: 'passed' };
    const closed = new Promise<boolean>((resolve) => {
      socket.once('data', () => resolve(false));
      socket.once('close', () => resolve(true));
    });
    if (!(await Promise.race([closed, sleep(holdMs, false, { signal })]))) return { type: 'passed' };
    return {
      type: 'failed',
      why: 'the connection was closed immediately: nothing listens on the port in the container',
    };
  } finally {
    socket.destroy();
  }
}

function hostOf(configured: string | undefined, protocol: 'IPv4' | 'IPv6' | undefined): string {
  const host = configured?.replace(/^\[(.*)\]$/, '$1') ?? '';
  if (host !== '' && host !== '0.0.0.0' && host !== '::') return host;
  return protocol === 'IPv6' ? '::1' : '127.0.0.1';
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ECONNRESET') return 'the connection was reset without an answer';
  return message;
}
