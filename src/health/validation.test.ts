import { expect, test } from 'vitest';
import type { HealthCheck } from '../mesos/types.ts';
import { healthCheckError } from './validation.ts';

test.each<[string | undefined, HealthCheck]>([
  [undefined, { type: 'TCP', tcp: { port: 1 } }],
  [undefined, { type: 'HTTP', http: { port: 1 } }],
  [undefined, { type: 'HTTP', http: { port: 1, path: '/', scheme: 'https' }, delay_seconds: 0 }],
  [undefined, { type: 'COMMAND', command: { value: 'true' } }],
  ["HealthCheck must specify 'type'", { tcp: { port: 1 } }],
  ["'UNKNOWN' is not a valid health check type", { type: 'UNKNOWN' }],
  ["'UNKNOWN' is not a valid health check type", { type: 'ICMP' as 'UNKNOWN' }],
  ["Expecting 'command' to be set for COMMAND health check", { type: 'COMMAND', tcp: { port: 1 } }],
  ["Command health check must contain 'shell command'", { type: 'COMMAND', command: {} }],
  ["Command health check must contain 'executable path'", { type: 'COMMAND', command: { shell: false } }],
  [
    "Health check's `CommandInfo` is invalid: Environment variable 'A' of type 'VALUE' must have a value set",
    { type: 'COMMAND', command: { value: 'x', environment: { variables: [{ name: 'A' }] } } },
  ],
  ["Expecting 'http' to be set for HTTP health check", { type: 'HTTP', tcp: { port: 1 } }],
  ["Unsupported HTTP health check scheme: 'ftp'", { type: 'HTTP', http: { port: 1, scheme: 'ftp' } }],
  ["The path 'x' of HTTP health check must start with '/'", { type: 'HTTP', http: { port: 1, path: 'x' } }],
  ["The path '' of HTTP health check must start with '/'", { type: 'HTTP', http: { port: 1, path: '' } }],
  ["Expecting 'tcp' to be set for TCP health check", { type: 'TCP', http: { port: 1 } }],
  ["Expecting 'delay_seconds' to be non-negative", { type: 'TCP', tcp: { port: 1 }, delay_seconds: -1 }],
  [
    "Expecting 'grace_period_seconds' to be non-negative",
    { type: 'TCP', tcp: { port: 1 }, grace_period_seconds: -1 },
  ],
  [
    "Expecting 'interval_seconds' to be non-negative",
    { type: 'TCP', tcp: { port: 1 }, interval_seconds: -0.1 },
  ],
  ["Expecting 'timeout_seconds' to be non-negative", { type: 'TCP', tcp: { port: 1 }, timeout_seconds: -1 }],
])('%s', (error, check) => {
  expect(healthCheckError(check)).toBe(error);
});
