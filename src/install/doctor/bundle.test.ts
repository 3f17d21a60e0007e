import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALL, cluster, seen, well } from '../../../test/install/healthy-cluster.ts';
import { fileFacts, hostOf, serviceFacts } from '../../../test/install/hosts.ts';
import { formsOfSecret } from '../../../test/support/secret-forms.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { generateSecrets, secretValues } from '../../cluster/secrets.ts';
import type { Facts } from '../facts.ts';
import { writeArchive } from '../operations/support-bundle.ts';
import type { Plan } from '../plan.ts';
import { type BundleInput, bundleFiles } from './bundle.ts';
import { diagnose } from './diagnose.ts';
import type { Examination } from './examination.ts';
import { finding, type Read } from './finding.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'mesosup-bundle-'));
});
afterAll(() => rm(directory, { recursive: true }));

const NAMES = ['h1', 'h2', 'h3'];

function healthy(changes: Partial<Read> = {}): Read {
  return {
    cluster,
    facts: ALL,
    examinations: new Map(NAMES.map((name) => [name, seen(name)])),
    unreachable: [],
    drift: undefined,
    agents: [],
    ...changes,
  };
}

function inputOf(read: Read, changes: Partial<BundleInput> = {}): BundleInput {
  const findings = diagnose({ ...read, preflight: [] });
  return {
    ...read,
    made: '2026-01-01T00:00:00.000Z',
    release: '1.2.3',
    spec: undefined,
    diagnosis: { cluster: 'prod', healthy: findings.length === 0, hosts: 3, findings, seconds: 1 },
    collections: new Map(),
    secrets: [],
    ...changes,
  };
}

/** A cluster in which each secret stands in every form in everything that a bundle is made of. */
function exposed(secrets: readonly string[], before: string): BundleInput {
  const forms = secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(`${before}${secret}`),
    [...secret].map((one) => `%${one.charCodeAt(0).toString(16)}`).join(''),
    Buffer.from(`${before}${secret}:x`).toString('base64'),
    Buffer.from(`${before}${secret}`).toString('base64url'),
  ]);
  const text = forms.map((form) => `I1130 ${before}${form} end`).join('\n');
  const own = well('h2');
  const facts: Facts = {
    ...own,
    hostname: text,
    files: {
      ...own.files,
      '/etc/open': fileFacts(text),
      '/etc/closed': fileFacts(text, { mode: '0600' }),
      '/etc/bytes': { ...fileFacts(''), content: Buffer.from(text).toString('base64') },
      [`/etc/${forms[0]}`]: fileFacts(''),
    },
    agent: { ...own.agent, problem: text },
  };
  const spec = { masterFlags: { x: text, [forms[0] ?? '']: 'y' } };
  const drift: Plan = {
    format: 1,
    command: 'install',
    cluster: 'prod',
    version: '1.2.3',
    hosts: [
      {
        host: 'h2',
        basis: '',
        items: [{ id: 'file:/etc/x', action: 'change', title: text, diff: text.split('\n') }],
      },
    ],
  };
  const shown: Cluster = { ...cluster, masterFlags: { x: text }, hosts: NAMES.map((name) => hostOf(name)) };
  const read = healthy({
    cluster: shown,
    facts: new Map([...ALL, ['h2', facts]]),
    examinations: new Map([['h2', { ...seen('h2'), logs: { zookeeper: text.split('\n') } }]]),
    unreachable: [finding('h3', 'unreachable', text, text)],
    drift,
    agents: [{ id: 'S-h2', hostname: text, duty: 'active' }],
  });
  const texts = { one: text, two: JSON.stringify({ text }) };
  return inputOf(read, {
    spec,
    secrets,
    diagnosis: {
      cluster: 'prod',
      healthy: false,
      hosts: 3,
      findings: [finding('h2', 'service', text, text, { evidence: [text] })],
      seconds: 1,
    },
    collections: new Map([['h2', { logs: texts, system: texts, metrics: texts }]]),
  });
}

test('contains no secret, in any form, whatever it is made of; and only its owner can read it', async () => {
  const file = path.join(directory, 'bundle.tar.gz');
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 0, maxLength: 4, unit: 'grapheme-ascii' }), async (before) => {
      const secrets = secretValues(generateSecrets((bytes) => randomBytes(bytes)));
      const input = exposed(secrets, before);
      expect(JSON.stringify(input.unreachable)).toContain(secrets[0]);
      const bytes = await writeArchive(file, bundleFiles(input));
      const text = gunzipSync(await readFile(file)).toString('latin1');
      expect(text).toContain('support/hosts/h2/logs/one.log');
      for (const form of secrets.flatMap(formsOfSecret))
        expect([form, text.includes(form)]).toEqual([form, false]);
      const { size, mode } = await stat(file);
      expect([size, mode & 0o777]).toEqual([bytes, 0o600]);
    }),
    { numRuns: 10 },
  );
});

test('leaves out files that not everyone may read, and those whose names show a secret', () => {
  const own = well('h1');
  const files = {
    '/etc/open': fileFacts('open'),
    '/etc/closed': fileFacts('closed', { mode: '0640' }),
    '/etc/mesos-agent/docker_config': fileFacts('named'),
  };
  const made = bundleFiles(inputOf(healthy({ facts: new Map([['h1', { ...own, files }]]) })));
  const facts = JSON.parse(made.find(({ name }) => name === 'hosts/h1/facts.json')?.content ?? '');
  expect(facts.files['/etc/open']).toMatchObject({ text: 'open', sha256: expect.any(String) });
  for (const name of ['/etc/closed', '/etc/mesos-agent/docker_config']) {
    expect(Object.keys(facts.files[name])).toEqual(['type', 'mode', 'owner', 'group']);
  }
});

test('puts hosts with long or unusual names into directories with short ones', () => {
  const names = ['h1', 'h'.repeat(120), '::1'];
  const long: Cluster = { ...cluster, hosts: names.map((name) => hostOf(name)) };
  const facts = new Map(names.map((name) => [name, well('h1')]));
  const made = bundleFiles(inputOf(healthy({ cluster: long, facts, examinations: new Map() })));
  expect(made.map(({ name }) => name).filter((name) => name.startsWith('hosts/'))).toEqual(
    ['h1', 'host-2', 'host-3'].map((name) => `hosts/${name}/facts.json`),
  );
});

/** Five faults of h2, which can be distinguished by the content of the bundle. */
const FAULTS: Record<
  string,
  { facts?: (own: Facts) => Partial<Facts>; seen?: (own: Examination) => Partial<Examination> }
> = {
  'a failed agent with an unknown flag': {
    facts: (own) => ({ services: { ...own.services, 'mesos-agent': serviceFacts({ state: 'failed' }) } }),
    seen: () => ({ logs: { 'mesos-agent': ["Failed to load unknown flag 'colour'"] } }),
  },
  'a firewall': {
    seen: (own) => ({
      dials: own.dials.map((dial) => (dial.port === 5050 ? { ...dial, result: 'timeout' } : dial)),
    }),
  },
  'data in memory': {
    seen: (own) => ({
      spaces: Object.fromEntries(
        Object.entries(own.spaces).map(([at, space]) => [
          at,
          at === '/var/lib/zookeeper' ? { ...space, type: 'tmpfs' } : space,
        ]),
      ),
    }),
  },
  'a wrong id of ZooKeeper': {
    seen: (own) => (own.zookeeper ? { zookeeper: { ...own.zookeeper, myid: '9' } } : {}),
  },
  'a Docker without live-restore': {
    seen: (own) => (own.engine ? { engine: { ...own.engine, liveRestore: false } } : {}),
  },
};

test('is enough to find the same faults again without the cluster', () => {
  const found = Object.entries(FAULTS).map(([fault, { facts, seen: examined }]) => {
    const own = well('h2');
    const examination = seen('h2');
    const read = healthy({
      facts: new Map([...ALL, ['h2', { ...own, ...facts?.(own) }]]),
      examinations: new Map([
        ...healthy().examinations,
        ['h2', { ...examination, ...examined?.(examination) }],
      ]),
    });
    const secrets = secretValues(generateSecrets((bytes) => randomBytes(bytes)));
    const files = new Map(
      bundleFiles(inputOf(read, { secrets })).map(({ name, content }) => [name, content]),
    );
    const json = (name: string) => JSON.parse(files.get(name) ?? 'null');
    const again = diagnose({
      cluster: json('cluster.json'),
      facts: new Map(NAMES.map((name) => [name, json(`hosts/${name}/facts.json`)])),
      examinations: new Map(NAMES.map((name) => [name, json(`hosts/${name}/examination.json`)])),
      unreachable: json('bundle.json').unreachable,
      drift: undefined,
      agents: json('bundle.json').agents,
      preflight: [],
    });
    expect([fault, again]).toEqual([fault, diagnose({ ...read, preflight: [] })]);
    expect([fault, again.length > 0]).toEqual([fault, true]);
    return again.map(({ host, check }) => `${host} ${check}`).join();
  });
  expect(new Set(found).size).toBe(found.length);
});
