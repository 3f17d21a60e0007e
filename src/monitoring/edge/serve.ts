/** The exporter's HTTP server. */

import { accessSync, constants } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { MesosupError, UsageError } from '../../errors/mesosup-error.ts';
import { createOwnPort } from '../../tls/own-port.ts';
import type { ExporterOptions } from '../options.ts';
import { CONTENT_TYPE, createExporter } from './exporter.ts';
import { mesosConnections } from './read-mesos.ts';

/** More connections are refused: a scrape needs one. */
const MOST_CONNECTIONS = 64;

/** Serves until the signal aborts. @throws UsageError, MesosupError if it can't begin */
export async function serveExporter(
  options: ExporterOptions,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { credentialsFile, tls } = options;
  const warn = (message: string) => log.warn(message);
  if (tls.ca !== undefined) checkReadable('ca-file', tls.ca);
  // Read for each scrape, so that a new secret needs no restart.
  const authorization = async () =>
    credentialsFile === undefined ? undefined : authorizationIn(credentialsFile);
  await authorization();
  const scrape = createExporter(options, authorization, mesosConnections(tls, warn));
  let before: ReadonlyMap<string, string> = new Map();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const path = request.url?.split('?')[0];
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404).end();
      return;
    }
    scrape().then(
      ({ text, problems }) => {
        logProblems(problems, before, log);
        before = problems;
        response.writeHead(200, { 'Content-Type': CONTENT_TYPE }).end(text);
      },
      (error: Error) => {
        log.error(error.message);
        response.writeHead(500).end();
      },
    );
  };
  const { server, scheme, destroyConnections } = createOwnPort(tls, answer, warn);
  server.maxConnections = MOST_CONNECTIONS;
  const { host, port } = options.listen;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const remedy = 'End the other program, or choose another address with --listen.';
      reject(new MesosupError(`can't listen on ${host}:${port}: ${error.code}`, { remedy }));
    });
    server.listen(port, host, resolve);
  });
  log.info(`listening on ${scheme}://${host}:${(server.address() as AddressInfo).port}/metrics`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  destroyConnections();
  server.close();
}

function logProblems(
  problems: ReadonlyMap<string, string>,
  before: ReadonlyMap<string, string>,
  log: Logger,
): void {
  for (const [endpoint, problem] of problems) {
    const last = before.get(endpoint) ?? '';
    if (problem === last) continue;
    if (problem === '') log.info(`${endpoint} answers again`);
    else log.warn(problem);
  }
}

/** @returns the value of the Authorization header. @throws UsageError */
async function authorizationIn(path: string): Promise<string> {
  const text = await readSecret(path);
  const line = text
    .split('\n')
    .map((one) => one.trim())
    .find((one) => one !== '');
  if (line === undefined || !/^[^:]+:./.test(line))
    throw new UsageError(`--credentials-file: ${path} must contain PRINCIPAL:SECRET`);
  return `Basic ${Buffer.from(line, 'utf8').toString('base64')}`;
}

async function readSecret(path: string): Promise<string> {
  let text: string;
  let isOpen: boolean;
  try {
    isOpen = ((await stat(path)).mode & 0o077) !== 0;
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--credentials-file can't be read: ${(error as Error).message}`);
  }
  if (isOpen) throw new UsageError(`other users can read ${path}. Run: chmod 600 ${path}`);
  return text;
}

function checkReadable(flag: string, path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new UsageError(`--${flag} can't be read: ${(error as Error).message}`);
  }
}
