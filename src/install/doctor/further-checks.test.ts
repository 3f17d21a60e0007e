/** Certificates, the kernel's log, ZooKeeper's data, and large packets. */

import { expect, test } from 'vitest';
import { ALL, cluster, seen, well } from '../../../test/install/healthy-cluster.ts';
import { fileFacts } from '../../../test/install/hosts.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { ZOO_CFG } from '../topology.ts';
import { diagnose } from './diagnose.ts';
import type { Certificate, Examination, ZooKeeperExamination } from './examination.ts';
import type { Finding } from './finding.ts';

const NOW = 1_700_000_000_000;
const DAY_MS = 86_400_000;

/** Diagnoses a healthy cluster with these differences on h2. */
function findings(
  examination: Partial<Examination>,
  { files = {}, spec = cluster }: { files?: ReturnType<typeof well>['files']; spec?: Cluster } = {},
): Finding[] {
  const own = well('h2');
  const found = diagnose({
    cluster: spec,
    facts: new Map([...ALL, ['h2', { ...own, files: { ...own.files, ...files } }]]),
    examinations: new Map([
      ...['h1', 'h3'].map((name) => [name, seen(name)] as const),
      ['h2', { ...seen('h2'), ...examination }],
    ]),
    unreachable: [],
    preflight: [],
    drift: undefined,
    agents: [],
  });
  for (const { remedy, evidence, message } of found) {
    expect([message, remedy]).toEqual([message, expect.stringMatching(/: \S+ /)]);
    expect([message, evidence.length > 0 || message.includes('can be read')]).toEqual([message, true]);
  }
  return found;
}

const lines = (found: readonly Finding[]) =>
  found.map(({ host, severity, check, message }) => `${host} ${severity} ${check} ${message}`);

test('finds lack of memory and errors of disks in the log of the kernel, and nothing else', () => {
  const kernel = [
    '2023-11-14T10:00:00+0000 h2 kernel: Out of memory: Killed process 812 (java) total-vm:9kB',
    '2023-11-14T10:00:01+0000 h2 kernel: Out of memory: Kill process 813 (java) score 900',
    '2023-11-14T11:00:00+0000 h2 kernel: blk_update_request: I/O error, dev sda, sector 2048',
    '2023-11-14T11:00:01+0000 h2 kernel: EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2',
    '2023-11-14T12:00:00+0000 h2 kernel: nf_conntrack: nf_conntrack: table full, dropping packet',
  ];
  const found = findings({ kernel });
  expect(lines(found)).toEqual([
    'h2 error disk-errors the kernel reported errors of a disk or a file system 2 times in the last 24 hours',
    'h2 error conntrack the kernel dropped packets 1 time in the last 24 hours, since its table of connections is full',
    'h2 warning out-of-memory the host ran out of memory in the last 24 hours, and the kernel killed processes 2 times',
  ]);
  expect(found[0]?.evidence).toEqual(kernel.slice(2, 4));
  expect(found[0]?.remedy).toContain('mesosup node drain h2');
  const harmless = [
    // A task that needed more than its limit.
    'kernel: Memory cgroup out of memory: Killed process 99 (redis) total-vm:9kB',
    // A drive without a disk.
    'kernel: blk_update_request: I/O error, dev sr0, sector 0',
    'kernel: I/O error, dev fd0, sector 0',
    'kernel: EXT4-fs (sda1): mounted filesystem with ordered data mode',
  ];
  expect(findings({ kernel: harmless })).toEqual([]);
});

const CERTIFICATE = { subject: 'cn', issuer: 'ca', begins: 0, expires: 0, names: [] };

test('finds certificates of the cluster that others refuse, with the reason', () => {
  const own = {
    ...CERTIFICATE,
    ...{ subject: 'agent', issuer: 'lab CA 1', names: ['h2', '10.0.0.2'], isTrusted: true },
    ...{ begins: NOW - DAY_MS, expires: NOW + 300 * DAY_MS },
  };
  const of = (change: Partial<Certificate>) =>
    findings({
      certificates: [{ path: '/etc/mesosup/tls/agent.pem', certificates: [{ ...own, ...change }] }],
    });
  expect(of({})).toEqual([]);
  const its = 'h2 error certificate the certificate of agent in /etc/mesosup/tls/agent.pem';
  const foreign = of({ issuer: 'other', isTrusted: false });
  expect(lines(foreign)).toEqual([
    `${its}, issued by other, is not of an authority in /etc/mesosup/tls/ca.pem: others refuse the connection`,
  ]);
  expect(foreign[0]).toMatchObject({ remedy: 'Renew it: mesosup install', fixable: true });
  expect(lines(of({ names: ['h9'] }))).toEqual([
    `${its} is for h9, and not for 10.0.0.2: others refuse the connection`,
  ]);
  expect(lines(of({ begins: NOW + DAY_MS }))).toEqual([
    `${its} is valid only from 2023-11-15, and the host's clock says 2023-11-14: it refuses the certificates of others, too`,
  ]);
  expect(lines(of({ expires: NOW - DAY_MS }))).toEqual([
    `${its} expired on 2023-11-13: clients refuse the connection`,
  ]);
});

test('finds certificates that have expired or soon will', () => {
  const of = (...days: number[]) => ({
    path: '/etc/ssl/mesosup.pem',
    certificates: days.map((day, index) => ({
      ...CERTIFICATE,
      subject: `cn${index}`,
      expires: NOW + day * DAY_MS,
    })),
  });
  const spec = { ...cluster, schedulerFlags: { ssl_cert_file: '/etc/ssl/mesosup.pem' } };
  const expired = findings({ certificates: [of(400, -1)] }, { spec });
  expect(lines(expired)).toEqual([
    'h2 error certificate the certificate of cn1 in /etc/ssl/mesosup.pem expired on 2023-11-13: clients refuse the connection',
  ]);
  expect(expired[0]?.remedy).toContain('--host h2 -- systemctl restart mesosup-scheduler');
  const soon = findings({ certificates: [of(20)] });
  expect(lines(soon)).toEqual([
    'h2 warning certificate the certificate of cn0 in /etc/ssl/mesosup.pem expires on 2023-12-04, in 20 days',
  ]);
  expect(soon[0]?.remedy).toContain('mesosup lb check');
  expect(findings({ certificates: [of(22, 900)] })).toEqual([]);
  expect(lines(findings({ certificates: [of()] }))).toEqual([
    'h2 error certificate /etc/ssl/mesosup.pem has no certificate that can be read',
  ]);
});

test('finds a ZooKeeper that writes no snapshots, keeps all, or has its data where it is lost', () => {
  const zookeeper = (change: Partial<ZooKeeperExamination>) => ({
    zookeeper: { myid: '2', ...seen('h2').zookeeper, ...change },
  });
  expect(lines(findings(zookeeper({ zxid: { epoch: 3, counter: 600_017 } })))).toEqual([
    'h2 warning snapshot ZooKeeper writes no snapshots: the last one is 600000 transactions old, all of which it reads again when it starts',
  ]);
  expect(lines(findings(zookeeper({ zxid: { epoch: 9, counter: 600_000 } })))).toHaveLength(1);
  expect(findings(zookeeper({ zxid: { epoch: 9, counter: 400_000 } }))).toEqual([]);
  const many = (count: number, days: number) =>
    Array.from({ length: count }, (_, index) => ({
      zxid: { epoch: 3, counter: 60_000 - index },
      bytes: 2 ** 20,
      at: NOW - (days + index / 1000) * DAY_MS,
    }));
  const config = (more: string) => ({
    [ZOO_CFG]: fileFacts(`${ALL.get('h2')?.files[ZOO_CFG]?.text}\n${more}\n`),
  });
  const purges = { files: config('autopurge.snapRetainCount=5\nautopurge.purgeInterval=24') };
  expect(lines(findings(zookeeper({ snapshots: many(9, 3) }), purges))).toEqual([
    'h2 warning snapshots ZooKeeper keeps 4 old snapshots (4 MiB) and their logs',
  ]);
  expect(lines(findings(zookeeper({ snapshots: many(9, 3) })))).toEqual([
    'h2 warning snapshots ZooKeeper keeps 6 old snapshots (6 MiB) and their logs, since its purge is off',
  ]);
  // Those of a busy day.
  expect(findings(zookeeper({ snapshots: many(90, 1) }), purges)).toEqual([]);
  expect(lines(findings({}, { files: config('dataDir=/tmp/zookeeper') }))).toEqual([
    "h2 error volatile ZooKeeper's data is in /tmp/zookeeper, which is emptied when the host starts",
  ]);
  expect(findings({}, { files: config('dataDir=/tmpfiles') })).toEqual([]);
});

test('finds a path on which large packets are lost', () => {
  const { dials } = seen('h2');
  const lossy = dials.map((dial) =>
    dial.address === '10.0.0.1' && [5050, 5051].includes(dial.port) ? { ...dial, losesLarge: true } : dial,
  );
  const found = findings({ dials: lossy });
  expect(lines(found)).toEqual([
    'h2 error path-mtu large packets from it to h1 (10.0.0.1) are lost: servers there answer short requests, but no long ones',
  ]);
  expect(found[0]?.evidence).toEqual(
    ['5050', '5051'].map((port) => `10.0.0.1:${port}: answers 60 bytes, but not 10000`),
  );
});
