import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusterOf, hostOf } from '../../test/install/hosts.ts';
import { readStored } from '../stored/file.ts';
import { certificateRows, certificateTable } from './certificate-rows.ts';
import {
  type Authority,
  beginAuthority,
  certificateWarnings,
  DAY_MS,
  day,
  dueLeaves,
  type KeptCertificates,
  type Leaf,
  type LeafNames,
  leafKey,
  nextAuthorityPhase,
  RENEW_DAYS,
  remainingAuthorityPhases,
  remainingStates,
  servicesOf,
  signerOf,
  sketchedFiles,
  TLS_SERVICES,
  tlsFiles,
  wantedLeaves,
  withLeaves,
} from './certificates.ts';
import { ROLES } from './cluster.ts';
import { certificatesFile } from './stored-certificates.ts';

const NOW = 1_800_000_000_000;
const pem = (kind: string, text: string) =>
  `-----BEGIN ${kind}-----\n${Buffer.from(text).toString('base64')}\n-----END ${kind}-----\n`;
const authority = (generation: number): Authority => ({
  generation,
  certificate: pem('CERTIFICATE', `authority ${generation}`),
  key: 'sealed',
  until: NOW + 1000 * DAY_MS,
});
const issued = (one: LeafNames, by: number, until = NOW + 365 * DAY_MS): Leaf => ({
  ...one,
  certificate: pem('CERTIFICATE', `${leafKey(one)} ${by}`),
  key: pem('PRIVATE KEY', `key of ${leafKey(one)} ${by}`),
  until,
  authority: by,
});

const cluster = clusterOf(
  [
    hostOf('h1', { roles: ['zookeeper', 'master', 'scheduler', 'agent', 'lb'], privateAddress: '10.0.0.1' }),
    hostOf('h2', { roles: ['agent'], hostname: 'Two.example' }),
    hostOf('h3', { roles: ['zookeeper'] }),
  ],
  { monitoring: { listen: 'cluster', port: 9103 } },
);
const wanted = cluster.hosts.flatMap((host) => wantedLeaves(cluster, host, [`found-${host.name}`]));
const kept: KeptCertificates = {
  state: 'require',
  authorities: [authority(1)],
  leaves: wanted.map((one) => issued(one, 1)),
};

describe('wanted certificates', () => {
  test('each service of a host has one; ZooKeeper has none', () => {
    const [h1, h2, h3] = cluster.hosts.map((host) => servicesOf(cluster, host));
    expect(h1).toEqual(TLS_SERVICES);
    expect(h2).toEqual(['agent', 'executor', 'monitoring']);
    expect(h3).toEqual([]);
  });

  test('they are for all names by which the host is known, and for itself', () => {
    const [, h2] = cluster.hosts;
    expect(h2 && wantedLeaves(cluster, h2, ['10.0.0.2', 'H2'])[0]?.names).toEqual([
      '10.0.0.2',
      '127.0.0.1',
      '::1',
      'h2',
      'localhost',
      'two.example',
    ]);
    const local = hostOf('here', { connection: { kind: 'local' }, address: '198.51.100.7' });
    expect(wantedLeaves(clusterOf([local]), local, [])[0]?.names).toEqual([
      '127.0.0.1',
      '::1',
      'here',
      'localhost',
    ]);
  });

  test('any host with any roles: no service twice, and names without duplicates, in order', () => {
    const anyName = fc.stringMatching(/^[A-Za-z][a-z0-9-]{0,8}$/);
    fc.assert(
      fc.property(fc.subarray([...ROLES], { minLength: 1 }), fc.array(anyName), (roles, found) => {
        const host = hostOf('h1', { roles });
        const leaves = wantedLeaves(clusterOf([host]), host, found);
        expect(new Set(leaves.map(leafKey)).size).toBe(leaves.length);
        expect(leaves.some(({ service }) => service === 'executor')).toBe(roles.includes('agent'));
        for (const { names } of leaves) {
          expect([...new Set(names)].toSorted()).toEqual(names);
          for (const name of found) expect(names).toContain(name.toLowerCase());
        }
      }),
    );
  });
});

describe('due certificates', () => {
  test('none while all are valid for long, and have all names', () => {
    expect(dueLeaves(kept, wanted, NOW)).toEqual([]);
  });

  test('those that are missing, that end soon, or that lack a name', () => {
    const [first, second, ...rest] = wanted;
    if (!first || !second) throw new TypeError();
    const ends = issued(second, 1, NOW + RENEW_DAYS * DAY_MS);
    const now = { ...kept, leaves: [ends, ...rest.map((one) => issued(one, 1))] };
    expect(dueLeaves(now, wanted, NOW)).toEqual([first, second]);
    expect(dueLeaves(now, wanted, NOW - 1)).toEqual([first]);
    const more = { ...first, names: [...first.names, 'new.example'] };
    expect(dueLeaves(kept, [more], NOW)).toEqual([more]);
    expect(dueLeaves(kept, [{ ...first, names: ['h1'] }], NOW)).toEqual([]);
  });

  test('after they are issued, none is due, whatever was there before', () => {
    const anyLeaf = fc.record({
      one: fc.constantFrom(...wanted),
      days: fc.integer({ min: -10, max: 400 }),
      by: fc.integer({ min: 1, max: 2 }),
    });
    fc.assert(
      fc.property(
        fc.array(anyLeaf),
        fc.constantFrom(undefined, 'accept', 'use', 'withdraw'),
        (some, phase) => {
          const present: KeptCertificates = {
            state: 'offer',
            ...(phase && { phase }),
            authorities: phase === 'withdraw' ? [authority(2)] : [authority(1), authority(2)],
            leaves: some.map(({ one, days, by }) => issued(one, by, NOW + days * DAY_MS)),
          };
          const due = dueLeaves(present, wanted, NOW);
          const { generation } = signerOf(present);
          const after = withLeaves(
            present,
            due.map((one) => issued(one, generation)),
            ['h1', 'h2', 'h3'],
          );
          expect(dueLeaves(after, wanted, NOW)).toEqual([]);
          expect(new Set(after.leaves.map(leafKey)).size).toBe(after.leaves.length);
          expect(after.leaves.every((leaf) => leaf.authority === generation)).toBe(true);
        },
      ),
    );
  });

  test('certificates of hosts that left the cluster are left out', () => {
    expect(withLeaves(kept, [], ['h2']).leaves.every(({ host }) => host === 'h2')).toBe(true);
  });
});

describe('the replacement of the authority', () => {
  const accept = beginAuthority(kept, authority(2));
  const use = nextAuthorityPhase(accept);
  const withdraw = nextAuthorityPhase(use);
  const done = nextAuthorityPhase(withdraw);

  test('all trust both before anyone uses the new one, and until everyone does', () => {
    const trusted = (one: KeptCertificates) => one.authorities.map(({ generation }) => generation);
    expect([accept, use, withdraw, done].map(trusted)).toEqual([[1, 2], [1, 2], [2], [2]]);
    expect([kept, accept, use, withdraw, done].map((one) => signerOf(one).generation)).toEqual([
      1, 1, 2, 2, 2,
    ]);
    expect(done).toEqual({ ...kept, authorities: [authority(2)] });
  });

  test('in the phase "use" all certificates are due, in the others none', () => {
    expect(dueLeaves(accept, wanted, NOW)).toEqual([]);
    expect(dueLeaves(use, wanted, NOW)).toEqual(wanted);
  });

  test('a second one can not begin, and none ends that has not begun', () => {
    expect(() => beginAuthority(accept, authority(3))).toThrow(TypeError);
    expect(() => nextAuthorityPhase(kept)).toThrow(TypeError);
    expect(() => signerOf({ authorities: [] })).toThrow(TypeError);
  });

  test('hosts get the certificates of all trusted authorities, and no key of one', () => {
    const files = tlsFiles(accept);
    expect(files.trusted).toBe(`${authority(1).certificate}${authority(2).certificate}`);
    expect(Object.keys(files.leaves)).toEqual(wanted.map(leafKey));
    expect(JSON.stringify(files)).not.toContain('sealed');
  });
});

describe('certificates.json', () => {
  const read = (content: unknown) =>
    readStored(content, certificatesFile, (why) => new Error(`certificates.json ${why}`));
  const stored = (change: object = {}) => JSON.parse(JSON.stringify({ format: 1, ...kept, ...change }));

  test('is read as it was written', () => {
    expect(read(stored())).toEqual(kept);
    expect(read(stored({ phase: 'use' }))).toEqual({ ...kept, phase: 'use' });
  });

  test.each([
    [{ state: 'off' }, '"state" has an unknown value'],
    [{ phase: 'begin' }, '"phase" has an unknown value'],
    [{ authorities: [] }, '"authorities" is empty'],
    [{ authorities: {} }, '"authorities" has an unknown value'],
    [{ leaves: ['x'] }, '"leaves.0" has an unknown value'],
    [{ leaves: [{ ...kept.leaves[0], key: undefined }] }, '"leaves.0.key" is missing'],
    [{ leaves: [{ ...kept.leaves[0], key: 'x\n' }] }, '"leaves.0.key" has an unknown value'],
    [{ leaves: [{ ...kept.leaves[0], names: 'h1' }] }, '"leaves.0.names" has an unknown value'],
    [{ leaves: [{ ...kept.leaves[0], more: 1 }] }, '"leaves.0.more" is unknown'],
    [{ more: true }, '"more" is unknown'],
  ])('refuses %j', (change, why) => {
    expect(() => read(stored(change))).toThrow(why);
  });
});

describe('what people see of certificates', () => {
  test('TLS begins with "offer", and goes on where it was', () => {
    const states = (state: KeptCertificates['state']) =>
      remainingStates({ ...kept, state }).map((one) => one.state);
    expect(states('offer')).toEqual(['offer', 'use', 'require']);
    expect(states('use')).toEqual(['use', 'require']);
    expect(states('require')).toEqual(['require']);
  });

  test('the phases that remain of a new authority', () => {
    const accept = beginAuthority(kept, authority(2));
    const phases = (one: KeptCertificates) => remainingAuthorityPhases(one).map(({ phase }) => phase);
    expect(phases(accept)).toEqual(['accept', 'use', 'withdraw']);
    expect(phases(nextAuthorityPhase(accept))).toEqual(['use', 'withdraw']);
    expect(phases(kept)).toEqual([]);
  });

  test('a sketch has a text for each wanted certificate, which changes with its authority and its renewal', () => {
    const of = (one: KeptCertificates, renewal?: string) =>
      Object.values(sketchedFiles(one, wanted, renewal).leaves).map(({ key }) => key);
    expect(new Set(of(kept))).toEqual(new Set(['1']));
    expect(of(kept)).toHaveLength(wanted.length);
    expect(new Set(of(kept, ' again'))).toEqual(new Set(['1 again']));
    expect(new Set(of({ ...kept, authorities: [authority(2)] }))).toEqual(new Set(['2']));
  });

  test('warnings name host, services, day and remedy 30 days before the end', () => {
    expect(certificateWarnings(kept, NOW)).toEqual([]);
    const [first, ...rest] = kept.leaves;
    if (!first) throw new TypeError();
    const ends = NOW + RENEW_DAYS * DAY_MS;
    const soon = { ...kept, leaves: [{ ...first, until: ends }, ...rest] };
    expect(certificateWarnings(soon, NOW - 1)).toEqual([]);
    expect(certificateWarnings(soon, NOW)).toEqual([
      `h1: the certificate of master ends on ${day(ends)}: renew it with mesosup install`,
    ]);
    expect(certificateWarnings({ ...kept, authorities: [{ ...authority(1), until: NOW }] }, NOW)).toEqual([
      `the certificate authority ended on ${day(NOW)}: replace it with mesosup certs rotate-ca`,
    ]);
  });

  test('a certificate that ends with its authority is not issued again and again', () => {
    const ends = NOW + DAY_MS;
    const old = {
      ...kept,
      authorities: [{ ...authority(1), until: ends }],
      leaves: wanted.map((one) => issued(one, 1, ends)),
    };
    expect(dueLeaves(old, wanted, NOW)).toEqual([]);
  });

  test('rows have the authorities first, and no key', () => {
    const rows = certificateRows(kept, NOW);
    expect(rows).toHaveLength(1 + wanted.length);
    expect(rows[0]).toMatchObject({ service: 'authority', host: '', days: 1000, authority: 1 });
    expect(rows[1]).toMatchObject({ host: 'h1', days: 365 });
    expect(JSON.stringify(rows)).not.toContain('PRIVATE');
    const table = certificateTable(rows, { width: 60, wide: false });
    expect(table.split('\n')[0]).toMatch(/^SERVICE +HOST +NAMES +UNTIL +DAYS +CA$/);
    expect(table).toContain(day(NOW + 365 * DAY_MS));
  });
});
