/** Compares the interpretation of configurations with OpenSSH's, which `ssh -G` prints. */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../../src/hosts/ssh/config-files.ts';
import { resolve } from '../../../src/hosts/ssh/route.ts';
import { SshLab } from './sshd.ts';

let lab: SshLab;

beforeAll(async () => {
  lab = await SshLab.make();
});
afterAll(() => lab.remove());

/** The output of `ssh -G`, by keyword. */
async function theirs(file: string, host: string): Promise<Map<string, string[]>> {
  const { stdout } = await execa('ssh', ['-G', '-F', file, host]);
  const said = new Map<string, string[]>();
  for (const line of stdout.split('\n')) {
    const [keyword = '', ...rest] = line.split(' ');
    said.set(keyword, [...(said.get(keyword) ?? []), rest.join(' ')]);
  }
  return said;
}

const CONFIGS: Record<string, string> = {
  plain: 'User ops\nPort 2200\nHostName = other.example.org\n',
  'first wins': 'Host web\n User a\nHost w*\n User b\n Port 7\nHost *\n Port 8\n',
  negation: 'Host * !web\n User no\nHost web !www\n User yes\n',
  quotes: 'Host "web"\n IdentityFile "/a key"\n User "some one"\n',
  'several identities': 'IdentityFile /a\nHost web\n IdentityFile /b\n IdentityFile /a\nIdentitiesOnly yes\n',
  certificates:
    'CertificateFile /a-cert.pub\nHost web\n CertificateFile /b-cert.pub\n CertificateFile /a-cert.pub\n',
  tokens: 'HostName %h.inside\nIdentityFile /keys/%r-%h-%n-%p-%%\nUser bob\nPort 2222\n',
  match:
    'Match host web user root\n Port 1\nMatch originalhost web,www !user bob\n User ann\nMatch host *.inside\n Port 3\n',
  'match after HostName': 'Host web\n HostName web.inside\nMatch host *.inside\n Port 3\n User in\n',
  'match final': 'Match final host *.inside\n Port 5\nHost web\n HostName web.inside\n',
  'match all': 'Host www\n User a\nMatch all\n User b\n',
  keywords: 'hostNAME x\nUSER y\nconnecttimeout 9\nHashKnownHosts yes\nStrictHostKeyChecking accept-new\n',
  'known hosts': 'UserKnownHostsFile /a /b\nGlobalKnownHostsFile /c\nHostKeyAlias Al\n',
  'tabs and comments': '\t# a comment\n\tUser\tops\t\n  Port=99 \n',
  jump: 'Host web\n ProxyJump ann@near:22,[::1]:2200\n',
  'no jump': 'Host web\n ProxyJump none\nHost *\n ProxyJump near\n',
  'command before jump': 'ProxyCommand sh -c "a  b" \\\'\nProxyJump near\n',
  'jump before command': 'ProxyJump near\nProxyCommand nc\n',
  'no command': 'Host web\n ProxyCommand none\nHost *\n ProxyJump near\n',
  'no jump, no command': 'Host web\n ProxyJump none\nHost *\n ProxyCommand nc\n',
  included: 'Host web\n Include conf.d/*.conf\n Port 12\nHost *\n User late\n',
  'included elsewhere': 'Host www\n Include conf.d/*.conf\nHost *\n User late\n',
};

test.each(Object.keys(CONFIGS))('%s', async (name) => {
  const file = path.join(lab.dir, 'config');
  await mkdir(path.join(lab.dir, 'conf.d'), { recursive: true });
  await writeFile(
    path.join(lab.dir, 'conf.d/a.conf'),
    'User included\nHost nothing\n Port 4\nHost web\n Port 5\n',
  );
  await writeFile(path.join(lab.dir, 'conf.d/b.conf'), 'User second\n');
  // ssh resolves Include relative to the home directory of the account database, so the test uses an absolute path.
  await writeFile(file, (CONFIGS[name] ?? '').replace('conf.d', `${lab.dir}/conf.d`));
  const expected = await theirs(file, 'web');
  const files = await readConfig('web', { home: lab.person.home, only: file });
  const ours = resolve(files, { name: 'web', address: 'web' }, {}, lab.person);
  const said = (keyword: string) => expected.get(keyword)?.[0] ?? '';
  expect(ours).toMatchObject({ hostname: said('hostname'), user: said('user'), port: Number(said('port')) });
  const named = ours.identities.filter((identity) => identity.named).map((identity) => identity.file);
  // ssh -G prints paths with unexpanded tokens, and the defaults if no path is set.
  if (!said('identityfile').startsWith('~') && !said('identityfile').includes('%')) {
    expect(named).toEqual(expected.get('identityfile'));
  }
  expect(ours.certificateFiles).toEqual(expected.get('certificatefile') ?? []);
  expect(ours.identitiesOnly).toBe(said('identitiesonly') === 'yes');
  expect(ours.hostKey.hash).toBe(said('hashknownhosts') === 'yes');
  if (name === 'known hosts') {
    expect(ours.hostKey).toMatchObject({
      name: said('hostkeyalias'),
      userFiles: said('userknownhostsfile').split(' '),
      globalFiles: said('globalknownhostsfile').split(' '),
    });
  }
  if (name === 'keywords') {
    expect(ours.timeout).toBe(Number(said('connecttimeout')) * 1000);
    expect(ours.hostKey.policy).toBe(said('stricthostkeychecking'));
  }
  expect(ours.proxyCommand?.command ?? '').toBe(said('proxycommand').replace(/^none$/, ''));
  const jumps: string[] = [];
  for (let via = ours.via; via; via = via.via) {
    const host = via.host.includes(':') ? `[${via.host}]` : via.host;
    jumps.unshift(
      `${via.user === 'root' ? '' : `${via.user}@`}${host}${via.port === 22 ? '' : `:${via.port}`}`,
    );
  }
  expect(jumps.join(',')).toBe(
    said('proxyjump')
      .replace(/^none$/, '')
      .replace(':22,', ','),
  );
});

test('resolves Include relative to ~/.ssh, expands patterns, and ignores missing files', async () => {
  await mkdir(path.join(lab.ssh, 'more'));
  await writeFile(path.join(lab.ssh, 'more/1'), 'User one\n');
  await writeFile(path.join(lab.ssh, 'more/2'), 'User two\nPort 2\n');
  await writeFile(path.join(lab.ssh, 'config'), 'Include more/* ~/.ssh/none absent\n');
  const files = await readConfig('h', { home: lab.person.home });
  expect(resolve(files, { name: 'h', address: 'h' }, {}, lab.person)).toMatchObject({ user: 'one', port: 2 });
});

test('refuses a file that includes itself, and a named file that is missing', async () => {
  const file = path.join(lab.ssh, 'config');
  await writeFile(file, 'Include config\n');
  const read = (only?: string) =>
    readConfig('h', { home: lab.person.home, ...(only === undefined ? {} : { only }) });
  await expect(read()).rejects.toMatchObject({
    failure: 'configuration',
    message: `${file}, line 1: Include is nested more than 16 levels deep`,
  });
  await expect(read('/no/such/file')).rejects.toMatchObject({ failure: 'configuration' });
  expect(await read('none')).toEqual([]);
});
