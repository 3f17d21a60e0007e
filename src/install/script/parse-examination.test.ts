import { expect, test } from 'vitest';
import { parseExamination } from './parse-examination.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

function parsed(plain: Record<string, string>, dials = '') {
  const parts = Object.entries(plain).map(([name, text]) => `${name}\0${text}\0`);
  const others = { engine: '', orphans: '', logs: '', guarded: '' };
  const answer = { format: 1, dials: base64(dials), ...others, plain: base64(parts.join('')) };
  const request = { places: [], zookeeper: { data: '/var/lib/zookeeper', port: 2181 } };
  return parseExamination(JSON.stringify(answer), request, (pem) =>
    pem === '' ? [] : [{ subject: pem, issuer: 'ca', begins: 0, expires: 1, names: [] }],
  );
}

test('reads the transactions and the snapshots of ZooKeeper, the latest first', () => {
  const { zookeeper } = parsed({
    myid: '2\n',
    mntr: 'zk_version\t3.8.0\nzk_avg_latency\t0.25\nzk_outstanding_requests\t3\n',
    srvr: 'Zookeeper version: 3.8.0\nZxid: 0x500000a1b\nMode: follower\n',
    snapshots: 'snapshot.0 457 1700000000.5\nsnapshot.40000ffff.snappy 99 1700000001.0\nother 1 2\n',
  });
  expect(zookeeper).toEqual({
    myid: '2',
    averageLatency: 0.25,
    outstanding: 3,
    zxid: { epoch: 5, counter: 0xa1b },
    snapshots: [
      { zxid: { epoch: 4, counter: 0xffff }, bytes: 99, at: 1_700_000_001_000 },
      { zxid: { epoch: 0, counter: 0 }, bytes: 457, at: 1_700_000_000_500 },
    ],
  });
  expect(parsed({}).zookeeper).toEqual({ myid: '' });
});

test('reads connections, the log of the kernel, and certificates', () => {
  const found = parsed(
    { kernel: 'one\ntwo\n', 'certificate /a b.pem': 'pem', 'certificate /gone.pem': '' },
    '10.0.0.1 5050 open\n10.0.0.1 5051 open large\n10.0.0.2 2181 Connection refused\n',
  );
  expect(found).toMatchObject({
    dials: [
      { address: '10.0.0.1', port: 5050, result: 'open' },
      { address: '10.0.0.1', port: 5051, result: 'open', losesLarge: true },
      { address: '10.0.0.2', port: 2181, result: 'Connection refused' },
    ],
    kernel: ['one', 'two'],
    certificates: [
      { path: '/a b.pem', certificates: [{ subject: 'pem', expires: 1 }] },
      { path: '/gone.pem', certificates: [] },
    ],
  });
  expect(found.dials[0]).not.toHaveProperty('losesLarge');
});
