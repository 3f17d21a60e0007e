import { expect, test } from 'vitest';
import { bareHosts, clusterOf, hostOf, planInput, scripts } from '../../../test/install/hosts.ts';
import { resourceId } from '../resources/registry.ts';
import { wantedResources } from '../wanted/wanted.ts';
import { parseResolved, resolveRequest, resolveScript, sendUriScript } from './resolve.ts';

const [ONE, TWO] = ['1'.repeat(64), '2'.repeat(64)];
const cluster = clusterOf([hostOf('h1', { roles: ['agent'] }), hostOf('h2', { roles: ['zookeeper', 'lb'] })]);
const facts = bareHosts(cluster);
const wanted = cluster.hosts.flatMap((host) =>
  wantedResources({ ...planInput(cluster, facts), host, running: true }),
);
const request = resolveRequest(wanted, []);

test('a request joins the packages, repositories and keys of all hosts of a system', () => {
  const names = request.packages.map(({ name }) => name);
  for (const name of ['docker.io', 'aventer-mesos', 'zookeeper', 'haproxy', 'libatomic1', 'ca-certificates'])
    expect(names).toContain(name);
  expect(names).toEqual([...new Set(names)].sort());
  expect(request.sources.map(({ path }) => path)).toEqual(['/etc/apt/sources.list.d/mesosup-mesos.list']);
  expect(request.keys.map(resourceId)).toEqual(['apt-key:/etc/apt/keyrings/mesosup-mesos.asc']);
});

test('of a package with and without a version, the version counts', () => {
  const one = { kind: 'package', name: 'a' } as const;
  const two = { ...one, version: '2' } as const;
  expect(resolveRequest([one, two], []).packages).toEqual([two]);
  expect(resolveRequest([two, one], []).packages).toEqual([two]);
});

test('the script quotes everything, and fails without the content of a key', () => {
  const [key] = request.keys;
  if (key === undefined) throw new Error('there is no key');
  const mesos = { kind: 'package', name: 'mesos', file: { url: "http://a/it's.deb" }, sha256: ONE } as const;
  const pins = [{ name: 'runc', version: '1.1', sha256: TWO }];
  const packages = [{ kind: 'package', name: 'a', version: '1.0' } as const, mesos];
  const script = resolveScript(scripts, { ...request, packages, keys: [{ ...key, content: 'QQ==' }], pins });
  expect(script).toContain(`own_file mesos 'http://a/it'\\''s.deb' ${ONE}`);
  expect(script).toContain("resolve 'a=~1.0'");
  expect(script).toContain(`add_key ${key.path} QQ==`);
  expect(script).toContain(`runc 1.1 ${TWO}`);
  expect(() => resolveScript(scripts, request)).toThrow('was not fetched');
  const local = { ...mesos, file: { upload: '/x.deb' } };
  expect(resolveScript(scripts, { ...request, keys: [], packages: [local] })).toContain(
    `own_file mesos /var/tmp/mesosup-bundle/${ONE} ${ONE}`,
  );
  const file = { name: 'a', version: '1', sha256: ONE, bytes: 1, control: '', uri: 'http://a/$(id)' };
  expect(sendUriScript(scripts, file)).toContain(`send_uri 'http://a/$(id)' ${ONE}`);
});

const answer = (members: Record<string, string>) =>
  JSON.stringify({
    format: 1,
    ...Object.fromEntries(
      Object.entries(members).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
    ),
  });
const SHOW = `Package: libstdc++6
Version: 12.2.0-14+deb12u1
Depends: libc6 (>= 2.36)
Filename: pool/main/g/libstdc++6_12.2.0-14+deb12u1_amd64.deb
Size: 613
SHA256: ${ONE}
Description: GNU
 more
Description-md5: 00

Package: docker-ce
Version: 5:29.0.1-1
Filename: ./docker-ce_29.deb
Size: 9
SHA256: ${TWO}
`;
const URIS = `'http://m/debian/pool/main/g/libstdc%2b%2b6_12.2.0-14%2bdeb12u1_amd64.deb' libstdc++6_12.2.0-14+deb12u1_amd64.deb 613 SHA256:${ONE}
'http://d/docker-ce_29.deb' docker-ce_5%3a29.0.1-1_amd64.deb 9 SHA512:00
`;

test('an answer gives each file its SHA-256, its control fields and its address', () => {
  const found = parseResolved(answer({ uris: URIS, show: SHOW }));
  expect(found).toMatchObject([
    { name: 'docker-ce', version: '5:29.0.1-1', sha256: TWO, bytes: 9, uri: 'http://d/docker-ce_29.deb' },
    { name: 'libstdc++6', version: '12.2.0-14+deb12u1', sha256: ONE, bytes: 613 },
  ]);
  if ('failure' in found) throw new Error(found.failure);
  expect(found[1]?.control).toContain('Depends: libc6 (>= 2.36)\n');
  expect(found[1]?.control).not.toContain('Description-md5');
});

test('a package file in no repository has the address that it was fetched from', () => {
  const own = `Package: mesos\nVersion: 1.9\nURI: http://a/m.deb\nSize: 5\nSHA256: ${TWO}\n\n`;
  const uris = `'file:/var/tmp/mesosup.1/mesos.deb' mesos_1.9_amd64.deb 5 SHA512:0\n`;
  expect(parseResolved(answer({ uris, show: own }))).toEqual([
    {
      name: 'mesos',
      version: '1.9',
      sha256: TWO,
      bytes: 5,
      uri: 'http://a/m.deb',
      control: expect.stringMatching(/^Package: mesos\nVersion: 1\.9\n/),
    },
  ]);
});

test('a failure of apt, and an answer that is not complete, are not an empty list', () => {
  expect(parseResolved(answer({ failure: 'E: Unable to locate package x\n' }))).toEqual({
    failure: 'E: Unable to locate package x',
  });
  expect(() => parseResolved(answer({ uris: URIS, show: '' }))).toThrow('no paragraph describes http://m/');
  expect(() => parseResolved('{"format":1')).toThrow('not the answer');
  const bad = answer({ uris: "'http://a/%zz' a 1 MD5Sum:0\n", show: '' });
  expect(() => parseResolved(bad)).toThrow('no paragraph describes http://a/%zz');
});
