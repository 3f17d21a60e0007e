import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pullFailureText, waitAfterFailure } from './pull-failure.ts';

const image = 'registry.example:5000/team/web:1';
const failure = (message: string, attempt = 1, name = image) => ({
  image: name,
  message,
  engineUnavailable: false,
  attempt,
});
const waitFor = (message: string, attempt = 1, name = image) =>
  waitAfterFailure(failure(message, attempt, name), 5, 0);

describe('a failed pull', () => {
  test.each([
    'Get "https://registry.example:5000/v2/": dial tcp 192.0.2.1:5000: connect: connection refused',
    'Get "https://registry.example:5000/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    'Get "https://registry.example:5000/v2/": net/http: TLS handshake timeout',
    'Get "https://registry.example:5000/v2/": dial tcp: lookup registry.example on 192.0.2.53:53: no such host',
    'Get "https://registry.example:5000/v2/": context deadline exceeded',
    'received unexpected HTTP status: 500 Internal Server Error',
    'error parsing HTTP 503 response body: invalid character \'<\' looking for beginning of value: "<html>not found"',
    'read tcp 192.0.2.2:4000->192.0.2.1:443: read: connection reset by peer',
    'unexpected EOF',
  ])('is tried again after %s', (message) => {
    expect(waitFor(message)).toBe(1000);
  });

  test.each([
    'manifest for registry.example:5000/team/web:1 not found: manifest unknown: manifest unknown',
    "pull access denied for registry.example:5000/team/web, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
    'Head "https://registry.example:5000/v2/team/web/manifests/1": no basic auth credentials',
    'Head "https://registry.example:5000/v2/team/web/manifests/1": unauthorized: authentication required',
    'Get "https://registry.example:5000/v2/": x509: certificate signed by unknown authority',
    'Get "https://registry.example:5000/v2/": x509: certificate has expired or is not yet valid: current time 2026-01-02T15:00:00Z is after 2026-01-01T00:00:00Z',
    'no matching manifest for linux/arm64/v8 in the manifest list entries',
    'a text of which nothing is known',
  ])('is final after %s', (message) => {
    expect(waitFor(message)).toBeUndefined();
  });

  test('is tried again while the engine does not answer', () => {
    expect(waitAfterFailure({ ...failure('stopped'), engineUnavailable: true }, 5, 0)).toBe(1000);
  });

  test('waits longer each time, until the attempts are used up', () => {
    const waits = [1, 2, 3, 4, 5].map((attempt) => waitFor('unexpected EOF', attempt));
    expect(waits).toEqual([1000, 2000, 4000, 8000, undefined]);
    expect(waitAfterFailure(failure('EOF', 10), 20, 0)).toBe(60_000);
  });

  test('waits as long as the registry asks for', () => {
    expect(waitFor('toomanyrequests: You have reached your pull rate limit.')).toBe(15_000);
    expect(waitFor('toomanyrequests: retry-after: 188.909µs, allowed: 44000/minute')).toBe(15_000);
    expect(waitFor('toomanyrequests: retry-after: 1m30.5s')).toBe(90_500);
    expect(waitFor('received unexpected HTTP status: 429 Too Many Requests, Retry-After: 120')).toBe(120_000);
  });

  test('is not judged by the name of the image', () => {
    const name = 'not.found.example/denied/eof:1';
    expect(waitFor(`Get "https://not.found.example/v2/": connect: connection refused`, 1, name)).toBe(1000);
    expect(waitFor('manifest for a.example/eof:1 not found', 1, 'a.example/eof:1')).toBeUndefined();
  });

  test('spreads the attempts of many agents, and never waits less than it must', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 9 }),
        (f, attempt) => {
          const wait = waitAfterFailure(failure('EOF', attempt), 10, f) ?? 0;
          const least = waitAfterFailure(failure('EOF', attempt), 10, 0) ?? 0;
          expect(wait).toBeGreaterThanOrEqual(least);
          expect(wait).toBeLessThanOrEqual(least * 1.25);
        },
      ),
    );
  });

  test('is described with the registry’s words and the number of attempts', () => {
    expect(pullFailureText(failure('denied'))).toBe(`Image ${image} can't be pulled: denied`);
    expect(pullFailureText(failure('EOF', 5))).toBe(`Image ${image} can't be pulled: EOF (5 attempts)`);
  });
});
