import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors/mesosup-error.ts';
import { type Choice, checkName, checkUrl, chooseContext, curlConfig } from './context.ts';
import { contextSummary, describeContext } from './summary.ts';

const choose = (choice: Partial<Choice>, known = ['demo', 'prod']) =>
  chooseContext({ environment: {}, ...choice }, known);

describe('chooseContext', () => {
  it('prefers the flag, then the environment, then the context in use, then the only one', () => {
    const environment = { MESOSUP_CONTEXT: 'prod' };
    expect(choose({ flag: 'demo', environment, current: 'prod' })).toEqual({ name: 'demo' });
    expect(choose({ environment, current: 'demo' })).toEqual({ name: 'prod' });
    expect(choose({ environment: { MESOSUP_URL: 'http://x' }, current: 'demo' })).toEqual({
      url: 'http://x',
    });
    expect(choose({ current: 'demo' })).toEqual({ name: 'demo' });
    expect(choose({}, ['prod'])).toEqual({ name: 'prod' });
  });

  it('lists the clusters if there is no choice between several', () => {
    expect(() => choose({})).toThrow('several clusters are known: demo, prod');
    expect(() => choose({}, [])).toThrow('no cluster is known');
  });

  it('refuses unknown names with the place and a suggestion', () => {
    expect(() => choose({ flag: 'prd' })).toThrow('--context is "prd"');
    expect(() => choose({ flag: 'prd' })).toThrow('did you mean "prod"?');
    expect(() => choose({ environment: { MESOSUP_CONTEXT: 'x' } })).toThrow('MESOSUP_CONTEXT is "x"');
    expect(() => choose({ current: 'gone' })).toThrow('The context in use is "gone"');
  });

  it('refuses a URL and a context in the environment at once', () => {
    const environment = { MESOSUP_URL: 'http://x', MESOSUP_CONTEXT: 'prod' };
    expect(() => choose({ environment })).toThrow('are both set');
  });
});

it('accepts URLs of schedulers, and repeats no password of another one', () => {
  expect(checkUrl('https://s.example:8443/', 'URL')).toBe('https://s.example:8443');
  const withPassword = ['http://u:s3cret@s', 'zz://u:s3cret@s', 'u:s3cret@s:8080', 'http://u:s3cret/w@s'];
  for (const bad of ['s:8080', 'ftp://s', 'http://s?a=b', ...withPassword]) {
    expect(() => checkUrl(bad, 'URL')).toThrow(UsageError);
    expect(() => checkUrl(bad, 'URL')).toThrow(/^(?!.*s3cret)/);
  }
});

it('accepts names without blanks and slashes', () => {
  expect(checkName('prod-1.eu')).toBe('prod-1.eu');
  for (const bad of ['', '-x', 'a b', '../x', 'x'.repeat(64)])
    expect(() => checkName(bad)).toThrow(UsageError);
});

describe('a context', () => {
  const context = {
    name: 'prod',
    source: 'added',
    urls: ['https://a', 'https://b'],
    credentials: { kind: 'password', user: 'anna', password: 'a"b\\c' },
    caFile: '/ca.pem',
  } as const;

  it('is written for curl with its quotes escaped', () => {
    expect(curlConfig(context)).toBe('user = "anna:a\\"b\\\\c"\ncacert = "/ca.pem"');
    const token = { ...context, credentials: { kind: 'token', token: 't' }, caFile: undefined } as const;
    expect(curlConfig(token)).toBe('header = "Authorization: Bearer t"');
    expect(curlConfig({ ...context, credentials: undefined, caFile: undefined })).toMatch(/^#/);
  });

  it('is described without its password', () => {
    const summary = contextSummary(context, 'prod');
    expect(summary).toMatchObject({ inUse: true, user: 'anna', authentication: 'password' });
    expect(JSON.stringify(summary) + describeContext(summary)).not.toContain('b\\\\c');
    expect(describeContext(summary)).toContain('Scheduler       https://b\nAuthentication  password of anna');
  });
});
