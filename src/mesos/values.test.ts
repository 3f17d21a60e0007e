import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration } from './duration.ts';
import { readExecutorEnvironment } from './executor-environment.ts';
import { detectFromList, parseMasters } from './leader.ts';
import { backoffMs, FIRST_BACKOFF_MS, LONGEST_BACKOFF_MS } from './retry.ts';
import { isTerminal, TASK_STATES } from './types.ts';
import { isUuidBase64, uuidBase64 } from './uuid.ts';

const transcript = (name: string) =>
  readFileSync(new URL(`../../test/fixtures/mesos/${name}`, import.meta.url), 'utf8');

describe('isTerminal', () => {
  it('is true for every final state', () => {
    expect(TASK_STATES.filter((state) => !isTerminal(state))).toEqual([
      'TASK_STAGING',
      'TASK_STARTING',
      'TASK_RUNNING',
      'TASK_KILLING',
      'TASK_UNREACHABLE',
    ]);
  });
});

describe('parseDuration', () => {
  it.each([
    ['15mins', 900_000],
    ['250ms', 250],
    ['1.5secs', 1500],
    ['2hrs', 7_200_000],
    ['1days', 86_400_000],
    ['2weeks', 1_209_600_000],
    ['500us', 0.5],
    ['1000000ns', 1],
    ['0secs', 0],
  ])('reads %s', (text, ms) => expect(parseDuration(text)).toBeCloseTo(ms, 9));

  it.each(['', '15', 'mins', '15 mins', '-1secs', '1.secs', '1fortnight', '1toString'])(
    'refuses "%s"',
    (text) => expect(() => parseDuration(text)).toThrow(`"${text}" is not a duration`),
  );
});

describe('uuidBase64', () => {
  it('makes a version 4 UUID from any 16 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (random) => {
        const text = uuidBase64(random);
        const bytes = Buffer.from(text, 'base64');
        expect(bytes.toString('hex')).toMatch(/^.{12}4.{3}[89ab].{15}$/);
        expect(isUuidBase64(text)).toBe(true);
      }),
    );
  });

  it('refuses any other number of bytes', () => {
    expect(() => uuidBase64(new Uint8Array(15))).toThrow(RangeError);
  });
});

describe('isUuidBase64', () => {
  it('is true for the updates of a real executor', () => {
    for (const line of transcript('executor-calls.jsonl').trim().split('\n')) {
      expect(isUuidBase64(JSON.parse(line).update.status.uuid)).toBe(true);
    }
  });

  it.each([
    ['version 0', Buffer.alloc(16)],
    ['version 6', Buffer.alloc(16, 0x60)],
    ['15 bytes', Buffer.alloc(15, 0x40)],
  ])('does not hold for %s', (_, bytes) => expect(isUuidBase64(bytes.toString('base64'))).toBe(false));

  it('is false for text that is not base64', () => expect(isUuidBase64('not base64 at all ...')).toBe(false));
});

describe('readExecutorEnvironment', () => {
  const real = JSON.parse(transcript('executor-env.jsonl')) as Record<string, string>;

  it("reads a real agent's", () => {
    expect(readExecutorEnvironment(real)).toEqual({
      agentEndpoint: '127.0.0.1:15051',
      agentId: '9498f507-7251-4375-adb3-9a89d0a83122-S0',
      frameworkId: '9498f507-7251-4375-adb3-9a89d0a83122-0000',
      executorId: 'docker-executor',
      directory: real.MESOS_DIRECTORY,
      checkpoint: true,
      shutdownGraceMs: 15_000,
      recoveryTimeoutMs: 900_000,
      subscriptionBackoffMaxMs: 2000,
    });
  });

  it('reads an existing token and socket, and does not change the environment', () => {
    const env = {
      ...real,
      MESOS_EXECUTOR_AUTHENTICATION_TOKEN: 'jwt',
      MESOS_DOMAIN_SOCKET: '/run/agent.sock',
    };
    const before = { ...env };
    expect(readExecutorEnvironment(env)).toMatchObject({
      authenticationToken: 'jwt',
      domainSocket: '/run/agent.sock',
    });
    expect(env).toEqual(before);
  });

  it('treats an empty token or socket as missing', () => {
    const env = { ...real, MESOS_EXECUTOR_AUTHENTICATION_TOKEN: '', MESOS_DOMAIN_SOCKET: '' };
    expect(readExecutorEnvironment(env)).toEqual(readExecutorEnvironment(real));
  });

  it('does not require the variables of checkpointing', () => {
    const { MESOS_RECOVERY_TIMEOUT: _, MESOS_SUBSCRIPTION_BACKOFF_MAX: __, ...rest } = real;
    expect(readExecutorEnvironment({ ...rest, MESOS_CHECKPOINT: '0' })).toMatchObject({ checkpoint: false });
  });

  it.each([
    'MESOS_AGENT_ENDPOINT',
    'MESOS_SLAVE_ID',
    'MESOS_FRAMEWORK_ID',
    'MESOS_EXECUTOR_ID',
    'MESOS_DIRECTORY',
  ])('names %s where it is missing', (name) => {
    expect(() => readExecutorEnvironment({ ...real, [name]: undefined })).toThrow(`${name} is not set`);
  });

  it('reports an invalid duration', () => {
    const env = { ...real, MESOS_RECOVERY_TIMEOUT: 'soon' };
    expect(() => readExecutorEnvironment(env)).toThrow('MESOS_RECOVERY_TIMEOUT: "soon" is not a duration');
  });
});

describe('backoffMs', () => {
  it('starts short, at least doubles its bounds, and never exceeds the maximum', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.double({ min: 0, max: 0.999, noNaN: true }), (attempt, random) => {
        const wait = backoffMs(attempt, random);
        expect(wait).toBeGreaterThanOrEqual(FIRST_BACKOFF_MS / 2);
        expect(wait).toBeLessThanOrEqual(LONGEST_BACKOFF_MS);
        expect(backoffMs(attempt + 1, 0)).toBeGreaterThanOrEqual(backoffMs(attempt, 0));
      }),
    );
    expect([0, 1, 2, 7, 100].map((attempt) => backoffMs(attempt, 0))).toEqual([50, 100, 200, 5000, 5000]);
    expect(backoffMs(0, 0.5)).toBe(75);
  });
});

describe('leader detection from a list', () => {
  it('reads host:port, several with commas, port 5050 by default', () => {
    expect(parseMasters('a:1, b ,[::1]:80')).toEqual(['a:1', 'b:5050', '[::1]:80']);
  });

  it.each(['', 'a,', 'a:b', 'http://a:5050', 'user@a:1', 'a:99999'])('refuses "%s"', (text) => {
    expect(() => parseMasters(text)).toThrow('is not a master address');
  });

  it('cycles through the list', async () => {
    const detect = detectFromList(['a:1', 'b:2']);
    expect([await detect(), await detect(), await detect()]).toEqual(['a:1', 'b:2', 'a:1']);
  });

  it('throws for an empty list', async () => {
    await expect(detectFromList([])()).rejects.toThrow('add at least one');
  });
});
