/**
 * Serves the web page: `/ui/` and everything below it, and `/` for browsers. Every scheduler serves it itself, without
 * authentication, since it contains no data: its scripts read the API.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { hasTls } from '../api/client-origin.ts';
import { ignoreRest } from '../unread-body.ts';
import {
  ASSETS,
  CODINGS,
  type Coding,
  INDEX,
  type PageFile,
  type PageFiles,
  readPageFiles,
} from './page-files.ts';

/** Allows nothing from other hosts, no inline scripts or styles, and no frames. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};
/** Browsers ignore it, with an error in the console, on hosts that they don't trust. */
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin' };
const BASE = '/ui/';

export interface Page {
  /** @returns true if it answers the request; false: the request is for the API */
  answer(request: IncomingMessage, answer: ServerResponse): boolean;
}

/** @param directory of the page's files, which need not exist; read at the first request */
export function createPage(directory: string, onError: (what: string, error: unknown) => void): Page {
  let reading: Promise<PageFiles | undefined> | undefined;
  const files = () => {
    reading ??= readPageFiles(directory).catch((error: unknown) => {
      reading = undefined;
      throw error;
    });
    return reading;
  };
  return {
    answer: (request, answer) => {
      const path = request.url?.split('?')[0] ?? '/';
      const isRoot = path === '/' && wantsHtml(request);
      if (!isRoot && path !== '/ui' && !path.startsWith(BASE)) return false;
      files().then(
        (found) => (found ? answerFrom(found, path, request, answer) : answerMissing(request, answer)),
        (error: unknown) => {
          onError(`the files of the web page in ${directory} can't be read`, error);
          answerJson(request, answer, 500, "The web page can't be read; see the scheduler's log");
        },
      );
      return true;
    },
  };
}

function wantsHtml({ method = '', headers }: IncomingMessage): boolean {
  return ['GET', 'HEAD'].includes(method) && (headers.accept ?? '').includes('text/html');
}

function answerMissing(request: IncomingMessage, answer: ServerResponse): void {
  answerJson(request, answer, 404, 'This build of the scheduler has no web page');
}

function answerFrom(files: PageFiles, path: string, request: IncomingMessage, answer: ServerResponse): void {
  if (!['GET', 'HEAD'].includes(request.method ?? '')) {
    answer.setHeader('Allow', 'GET, HEAD');
    answerJson(request, answer, 405, `${request.method} is not possible here`);
    return;
  }
  if (path === '/') {
    ignoreRest(request, answer);
    answer.writeHead(302, { Location: BASE, 'Content-Length': 0, Vary: 'Accept' }).end();
    return;
  }
  const name = path.slice(BASE.length);
  // Every other path is a view of the page, which has an address of its own.
  const file = files.get(name) ?? (name.startsWith(ASSETS) ? undefined : files.get(INDEX));
  if (file) answerFile(file, request, answer);
  else answerJson(request, answer, 404, `There is nothing at ${request.method} ${request.url}`);
}

function answerFile(file: PageFile, request: IncomingMessage, answer: ServerResponse): void {
  const coding = codingFor(file, request);
  const bytes = (coding && file.compressed[coding]) ?? file.whole;
  const etag = `"${file.etag}${coding === undefined ? '' : `-${coding}`}"`;
  const headers = {
    ...HEADERS,
    ...(isTrusted(request) && ISOLATED),
    'Cache-Control': file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    ETag: etag,
    Vary: 'Accept-Encoding',
  };
  ignoreRest(request, answer);
  const known = (request.headers['if-none-match'] ?? '')
    .split(',')
    .map((one) => one.trim().replace(/^W\//, ''));
  if (known.includes(etag) || known.includes('*')) {
    answer.writeHead(304, headers).end();
    return;
  }
  answer.writeHead(200, {
    ...headers,
    'Content-Type': file.type,
    'Content-Length': bytes.length,
    ...(coding && { 'Content-Encoding': coding }),
  });
  answer.end(request.method === 'HEAD' ? undefined : bytes);
}

/** @returns the smallest form that the client accepts; undefined: not compressed */
function codingFor({ compressed }: PageFile, { headers }: IncomingMessage): Coding | undefined {
  const accepted = String(headers['accept-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((entry) => entry.split(';').map((part) => part.trim()))
    .filter(([, ...parameters]) => !parameters.some((one) => /^q=0(\.0*)?$/.test(one)))
    .map(([coding]) => coding);
  return (Object.keys(CODINGS) as Coding[]).find((one) => compressed[one] && accepted.includes(one));
}

/** True for hosts that browsers trust: with TLS, or on this machine. */
function isTrusted(request: IncomingMessage): boolean {
  return hasTls(request) || /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(request.headers.host ?? '');
}

function answerJson(request: IncomingMessage, answer: ServerResponse, status: number, message: string): void {
  ignoreRest(request, answer);
  const body = JSON.stringify({ message });
  answer
    .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    .end(request.method === 'HEAD' ? undefined : body);
}
