import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clusterOf, hostOf } from '../../test/install/hosts.ts';
import { hider, redactor, redactValue, secretsIn } from './redaction.ts';

const DOTS = '••••••••';
const secret = fc
  .string({ minLength: 8, maxLength: 40, unit: 'grapheme-ascii' })
  .filter((text) => !/^\s|\s$/.test(text));

/** The secret in every form in which programs write it. */
const written = (one: string, before: string, after: string) => {
  const bytes = Buffer.from(`${before}${one}${after}`);
  const percent = (text: string) =>
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  return {
    plain: one,
    json: JSON.stringify(one),
    base64: bytes.toString('base64'),
    base64url: bytes.toString('base64url'),
    url: encodeURIComponent(one),
    percent: percent(one),
    PERCENT: percent(one).toUpperCase(),
    hex: Buffer.from(one).toString('hex'),
    HEX: Buffer.from(one).toString('hex').toUpperCase(),
  };
};

test('removes a secret in any form, wherever it stands', () => {
  fc.assert(
    fc.property(secret, fc.string({ maxLength: 5 }), fc.string({ maxLength: 5 }), (one, before, after) => {
      const hide = hider([one]);
      for (const [form, text] of Object.entries(written(one, before, after))) {
        const hidden = hide(`a ${text} b`);
        expect([form, hidden]).toEqual([form, expect.stringContaining(DOTS)]);
        // Of base64, the ends stay, which also encode what stands beside the secret; of JSON, the quotes.
        const rest = hidden.replaceAll(DOTS, '');
        const ends = form.startsWith('base64') ? Buffer.byteLength(before + after) * 2 + 16 : 6;
        expect([form, rest.length]).toEqual([form, expect.toSatisfy((length) => length <= ends)]);
      }
    }),
  );
});

test('leaves all other text as it is', () => {
  const text = 'I1130 master.cpp:1 Elected as the leading master! token bucket, basic authentication';
  expect(redactor(['J8sPq_Xz4-nTtVw0'])(text)).toBe(text);
  // A short text occurs in other words.
  expect(hider(['as'])(text)).toBe(text);
});

test.each([
  ['GET /v2/apps Authorization: Basic b3BlcmF0b3I6eA== ok', `GET /v2/apps Authorization: Basic ${DOTS} ok`],
  ['{"authorization":"Bearer abc.def"}', `{"authorization":"Bearer ${DOTS}"}`],
  ['sent bearer 0123456789abcdef', `sent bearer ${DOTS}`],
  ['deb https://ann:pa55@mirror/x main', `deb https://ann:${DOTS}@mirror/x main`],
  ['zk://u:p@h1:2181/mesos', `zk://u:${DOTS}@h1:2181/mesos`],
  ['PASSWORD=hunter2 start', `PASSWORD=${DOTS} start`],
  ['{\\"secret\\":\\"abc\\"}', `{\\"secret\\":\\"${DOTS}\\"}`],
  [
    'a\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\nb',
    `a\n-----BEGIN RSA PRIVATE KEY-----${DOTS}\nb`,
  ],
  ['-----BEGIN PRIVATE KEY-----\nMII', `-----BEGIN PRIVATE KEY-----${DOTS}`],
])('removes what a text shows to be a secret: %j', (text, shown) => {
  expect(redactor([])(text)).toBe(shown);
});

test('finds the secrets of a cluster file, and removes them by their names', () => {
  const config = { auths: { registry: { auth: 'YW5uOnBhNTU=' } } };
  const cluster = clusterOf([hostOf('h1', { agentFlags: { docker_config: JSON.stringify(config) } })], {
    masterFlags: { credentials: 'file:///etc/mesos/credentials', quorum: '1' },
    schedulerFlags: { http_tokens_file: '/etc/mesosup/tokens', api_token: 'abcdef' },
    docker: {
      kind: 'docker-ce',
      repository: { debian: 'https://ann:pa55word@mirror x', ubuntu: '', key: { file: '/k' } },
    },
  });
  const found = secretsIn(cluster);
  expect(found).toEqual(expect.arrayContaining(['YW5uOnBhNTU=', 'abcdef', 'pa55word']));
  expect(found).not.toContain('/etc/mesosup/tokens');
  const shown = redactValue(cluster, redactor(found));
  expect(shown).toMatchObject({
    masterFlags: { credentials: DOTS, quorum: '1' },
    schedulerFlags: { http_tokens_file: '/etc/mesosup/tokens', api_token: DOTS },
    docker: { repository: { debian: `https://ann:${DOTS}@mirror x` } },
  });
  const text = JSON.stringify(shown);
  for (const one of found) expect(text).not.toContain(one);
  expect(redactValue({ environment: { A: ['x'] }, ok: 1, none: null }, redactor([]))).toEqual({
    environment: { A: [DOTS] },
    ok: 1,
    none: null,
  });
});
