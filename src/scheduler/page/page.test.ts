import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, request as requestBy, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compressFiles } from '../../../bin/bundle/compress.ts';
import { createPage } from './page.ts';

const SCRIPT = `export const words = '${'long '.repeat(1000)}';\n`;
const INDEX = '<!doctype html><title>mesosup</title>';

let directory: string;
let server: Server;
const errors: unknown[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'page-'));
  await mkdir(path.join(directory, 'ui/assets'), { recursive: true });
  await writeFile(path.join(directory, 'secret'), 'secret');
  await symlink(path.join(directory, 'secret'), path.join(directory, 'ui/link'));
  await writeFile(path.join(directory, 'ui/index.html'), INDEX);
  await writeFile(path.join(directory, 'ui/assets/main-1a2b.js'), SCRIPT);
  await writeFile(path.join(directory, 'ui/assets/icon-3c4d.svg'), '<svg/>');
  await compressFiles(path.join(directory, 'ui'));
  server = await serve(path.join(directory, 'ui'));
});
afterAll(async () => {
  server.close();
  await rm(directory, { recursive: true });
});

async function serve(files: string): Promise<Server> {
  const page = createPage(files, (what, error) => errors.push([what, error]));
  const started = createServer((request, answer) => {
    if (!page.answer(request, answer)) answer.end('api');
  }).listen(0, '127.0.0.1');
  await once(started, 'listening');
  return started;
}

interface Got {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
  text: string;
}

/** Sends the path as it is, unlike fetch. */
function get(url: string, headers = {}, method = 'GET', from = server): Promise<Got> {
  const { port } = from.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const sent = requestBy({ port, host: '127.0.0.1', path: url, headers, method }, async (response) => {
      const bytes = Buffer.concat(await response.toArray());
      resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text: String(bytes) });
    });
    sent.on('error', reject).end();
  });
}

it('leads browsers from / to the page, and leaves programs and other paths to the API', async () => {
  const browser = await get('/', { accept: 'text/html,*/*' });
  expect([browser.status, browser.headers.location, browser.headers.vary]).toEqual([302, '/ui/', 'Accept']);
  for (const [url, headers] of [
    ['/', {}],
    ['/', { accept: '*/*' }],
    ['/uix', { accept: 'text/html' }],
    ['/v2/apps', { accept: 'text/html' }],
    ['//ui/', {}],
    ['/UI/', {}],
  ] as const) {
    expect((await get(url, headers)).text).toBe('api');
  }
  expect((await get('/', { accept: 'text/html' }, 'POST')).text).toBe('api');
});

it('answers every address of a view with the page, without inline scripts, other hosts and frames', async () => {
  for (const url of [
    '/ui',
    '/ui/',
    '/ui/app/a/b.js',
    '/ui/app/%2e%2e/x?tab=logs',
    '/ui/index.html',
    '/ui/link',
  ]) {
    const { status, headers, text } = await get(url);
    expect([url, status, text]).toEqual([url, 200, INDEX]);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'content-security-policy': expect.stringMatching(
        /^default-src 'none'; script-src 'self'; style-src 'self';.*frame-ancestors 'none'$/,
      ),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
    });
  }
  const untrusted = await get('/ui/', { host: 'scheduler.example' });
  expect(untrusted.headers).not.toHaveProperty('cross-origin-opener-policy');
  const trusted = await get('/ui/', { host: 'scheduler.example', 'x-forwarded-proto': 'https' });
  expect(trusted.headers).toHaveProperty('cross-origin-opener-policy');
});

it('serves only its files', async () => {
  for (const url of [
    '/ui/assets/none.js',
    '/ui/assets/',
    '/ui/assets/../index.html',
    '/ui/assets/%2e%2e/index.html',
    '/ui/assets/main-1a2b.js/',
    '/ui/assets/main-1a2b.js.br/',
    `/ui/assets/${'x'.repeat(10_000)}`,
  ]) {
    const { status, headers, text } = await get(url);
    expect([status, headers['content-type']]).toEqual([404, 'application/json']);
    expect(JSON.parse(text).message).toContain('There is nothing at GET /ui/assets/');
  }
  for (const url of [
    '/ui/../secret',
    '/ui/%2e%2e/secret',
    '/ui/..%2fsecret',
    '/ui/link',
    '/ui//etc/passwd',
  ]) {
    expect((await get(url)).text).toBe(INDEX);
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const { status, headers } = await get('/ui/', {}, method);
    expect([status, headers.allow]).toEqual([405, 'GET, HEAD']);
  }
});

it('serves files with a hash in their name for ever, compressed as the browser accepts it', async () => {
  const url = '/ui/assets/main-1a2b.js';
  const whole = await get(url);
  expect([whole.status, whole.text, whole.headers['content-encoding']]).toEqual([200, SCRIPT, undefined]);
  expect(whole.headers).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
    vary: 'Accept-Encoding',
  });
  const br = await get(url, { 'accept-encoding': 'gzip, deflate, BR' });
  expect([br.headers['content-encoding'], String(brotliDecompressSync(br.bytes))]).toEqual(['br', SCRIPT]);
  for (const accepted of ['gzip', 'br;q=0, gzip;q=0.5', 'gzip , deflate']) {
    const gzip = await get(url, { 'accept-encoding': accepted });
    expect(gzip.headers['content-encoding']).toBe('gzip');
    expect(String(gunzipSync(gzip.bytes))).toBe(SCRIPT);
    expect(gzip.headers.etag).not.toBe(br.headers.etag);
  }
  for (const accepted of ['', 'gzip;q=0', 'identity', 'zstd']) {
    expect((await get(url, { 'accept-encoding': accepted })).text).toBe(SCRIPT);
  }
  const head = await get(url, { 'accept-encoding': 'br' }, 'HEAD');
  expect([head.headers['content-length'], head.text]).toEqual([String(br.bytes.length), '']);
  // Too small to compress.
  const icon = await get('/ui/assets/icon-3c4d.svg', { 'accept-encoding': 'br' });
  expect([icon.headers['content-type'], icon.text]).toEqual(['image/svg+xml', '<svg/>']);
});

it('sends no file again that the browser has', async () => {
  for (const url of ['/ui/', '/ui/assets/main-1a2b.js']) {
    const { headers } = await get(url, { 'accept-encoding': 'br' });
    for (const known of [headers.etag, `W/${headers.etag}`, `"x", ${headers.etag}`, '*']) {
      const again = await get(url, { 'accept-encoding': 'br', 'if-none-match': known });
      expect([again.status, again.text, again.headers.etag]).toEqual([304, '', headers.etag]);
    }
    expect((await get(url, { 'if-none-match': '"x"' })).status).toBe(200);
  }
});

it('says that a build has no page', async () => {
  const without = await serve(path.join(directory, 'nothing'));
  const { status, text } = await get('/ui/', {}, 'GET', without);
  expect([status, JSON.parse(text)]).toEqual([
    404,
    { message: 'This build of the scheduler has no web page' },
  ]);
  without.close();
  const unreadable = await serve(path.join(directory, 'secret'));
  expect((await get('/ui/', {}, 'GET', unreadable)).status).toBe(500);
  expect(errors).toEqual([[expect.stringContaining("can't be read"), expect.anything()]]);
  unreadable.close();
});
