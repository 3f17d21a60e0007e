import { expect, test } from 'vitest';
import { HostError } from '../host.ts';
import { readLines } from './config-lines.ts';
import { type Overrides, resolve } from './route.ts';

const ann = {
  user: 'ann',
  home: '/home/ann',
  uid: 1000,
  hostname: 'desk.example.org',
  env: { SSH_AUTH_SOCK: '/agent' },
};

function plan(config: string, address: string, overrides: Overrides = {}) {
  return resolve([readLines(address, '/c', config)], { name: `the ${address}`, address }, overrides, ann);
}

function failure(action: () => unknown): HostError {
  try {
    action();
  } catch (error) {
    if (error instanceof HostError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

test('uses OpenSSH’s defaults without a configuration', () => {
  expect(plan('', 'Web')).toEqual({
    host: 'the Web',
    hostname: 'Web',
    port: 22,
    user: 'ann',
    identities: ['ed25519', 'ecdsa', 'rsa'].map((t) => ({ file: `/home/ann/.ssh/id_${t}`, named: false })),
    certificateFiles: [],
    identitiesOnly: false,
    agent: '/agent',
    hostKey: {
      name: 'web',
      userFiles: ['/home/ann/.ssh/known_hosts', '/home/ann/.ssh/known_hosts2'],
      globalFiles: ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
      policy: 'strict',
      hash: false,
      pinned: null,
    },
    via: null,
    proxyCommand: null,
    timeout: 30_000,
    keepalive: { interval: 15_000, count: 3 },
    notices: [],
  });
});

test('uses the first value of a keyword but all identity files, and parses keywords and values like OpenSSH', () => {
  const found = plan(
    `# a comment
     HOST web *.example.org !bad.example.org
       hostname = %h.inside
       User "ops"
       IdentityFile ~/.ssh/%r_%h
     Host *
       User other
       Port 2222
       IdentityFile %d/.ssh/general   # with a comment
       IdentityFile ~/.ssh/%r_%h
       ConnectTimeout 5
       HashKnownHosts yes
       UserKnownHostsFile ~/.ssh/a /b/%n
       GlobalKnownHostsFile none`,
    'web',
  );
  expect(found).toMatchObject({ hostname: 'web.inside', user: 'ops', port: 2222, timeout: 5000 });
  expect(found.identities.map(({ file }) => file)).toEqual([
    '/home/ann/.ssh/ops_web.inside',
    '/home/ann/.ssh/general',
  ]);
  expect(found.hostKey).toMatchObject({
    name: '[web.inside]:2222',
    userFiles: ['/home/ann/.ssh/a', '/b/web'],
    globalFiles: [],
    hash: true,
  });
  expect(plan('Host !bad *\nPort 1', 'bad').port).toBe(22);
});

test('prefers the overrides of this run to all files', () => {
  const config =
    'User a\nPort 1\nIdentityFile /k\nUserKnownHostsFile /known\nProxyJump j\nStrictHostKeyChecking no';
  const found = plan(config, 'h', {
    user: 'b',
    port: 2,
    key: '~/mine',
    knownHosts: '/other',
    bastion: 'none',
    acceptNew: false,
    hostKey: 'SHA256:x',
  });
  expect(found).toMatchObject({ user: 'b', port: 2, via: null, notices: [] });
  expect(found.identities.map(({ file }) => file)).toEqual(['/home/ann/mine', '/k']);
  expect(found.hostKey).toMatchObject({ userFiles: ['/other'], policy: 'strict', pinned: 'SHA256:x' });
});

test('requires all conditions of a Match to be met, and negated ones not to be met', () => {
  const config = `Match host inner user ops
       Port 1
     Match originalhost outer !localuser ann
       Port 2
     Host outer
       HostName inner
       User ops
     Match host inner user ops
       Port 3
     Match all
       Port 4`;
  expect(plan(config, 'outer').port).toBe(3);
  expect(plan(config, 'outer', { user: 'root' }).port).toBe(4);
});

test('evaluates Match final in a second reading, after all settings of the first', () => {
  expect(plan('Match final host inner\nPort 5\nHost o\nHostName inner', 'o').port).toBe(5);
});

test('treats conditions that would run a command as not met, and reports them', () => {
  const found = plan('Match exec "true"\n  Port 1\n', 'h');
  expect(found.port).toBe(22);
  expect(found.notices).toEqual([expect.stringMatching(/^\/c, line 1: "Match exec"/)]);
});

test('reads an Include at its position, and only if its section applies', () => {
  const inner = readLines('h', '/inner', 'Port 7\nHost other\nPort 8');
  const outer = readLines('h', '/c', 'Host h\nInclude x\nHost *\nUser late').map((line) =>
    line.keyword === 'include' ? { ...line, included: [inner] } : line,
  );
  const at = (address: string) => resolve([outer], { name: address, address }, {}, ann);
  expect(at('h')).toMatchObject({ port: 7, user: 'late' });
  expect(at('other')).toMatchObject({ port: 22, user: 'late' });
});

test('chains several jump hosts, the last one next to the target, each with its own settings', () => {
  const found = plan(
    'Host b2\nHostName second\nPort 2\nHost t\nProxyJump u1@b1:1,b2\nHost *\nUser everyone',
    't',
  );
  expect(found.via).toMatchObject({ host: 'b2', hostname: 'second', port: 2, user: 'everyone' });
  expect(found.via?.via).toMatchObject({ host: 'b1', port: 1, user: 'u1', via: null });
});

test('follows the jump host of a jump host, unless it is none', () => {
  expect(plan('Host t\nProxyJump b\nHost b\nProxyJump a', 't').via?.via?.host).toBe('a');
  expect(plan('Host t\nProxyJump none\nHost *\nProxyJump a', 't').via).toBeNull();
  expect(plan('Host *\nProxyJump a', 'a').via?.via ?? null).toBeNull();
  expect(plan('', 't', { bastion: 'me@[::1]:2200' }).via).toMatchObject({
    hostname: '::1',
    port: 2200,
    user: 'me',
  });
});

test('reads a ProxyCommand as the rest of its line, with its tokens replaced', () => {
  const found = plan(
    'Host web\n HostName %h.inside\n Port 7\n User bob\n ProxyCommand = sh -c "a  b" #%n %h %p %r %%\n',
    'web',
  );
  expect(found.proxyCommand).toEqual({
    file: '/c',
    line: 5,
    command: 'sh -c "a  b" #web web.inside 7 bob %',
    shell: '/bin/sh',
  });
});

test.each([
  ['ProxyJump j\nProxyCommand c', {}, 'j', null],
  ['ProxyCommand c\nProxyJump j', {}, undefined, 'c'],
  ['ProxyJump none\nProxyCommand c', {}, undefined, 'c'],
  ['ProxyCommand none\nProxyJump j', {}, undefined, null],
  ['ProxyCommand c', { bastion: 'k' }, 'k', null],
  ['ProxyCommand c', { bastion: 'none' }, undefined, null],
])('reads %j with %j as jump host %s and command %s', (config, overrides, jump, command) => {
  const found = plan(config.replaceAll(/^/gm, 'Host h\n'), 'h', overrides);
  expect(found.via?.host).toBe(jump);
  expect(found.proxyCommand?.command ?? null).toBe(command);
});

test('detects a loop of ProxyJump', () => {
  const error = failure(() => plan('Host a\nProxyJump b\nHost b\nProxyJump a', 'a'));
  expect(error).toMatchObject({ failure: 'configuration', message: expect.stringContaining('forms a loop') });
});

test.each([
  ['no', 'accept-new', 1],
  ['off', 'accept-new', 1],
  ['accept-new', 'accept-new', 0],
  ['ask', 'strict', 0],
  ['yes', 'strict', 0],
])('reads StrictHostKeyChecking %s as %s', (value, policy, notices) => {
  const found = plan(`StrictHostKeyChecking ${value}`, 'h');
  expect(found.hostKey.policy).toBe(policy);
  expect(found.notices).toHaveLength(notices);
});

test('uses HostKeyAlias as the name of the key, without a port', () => {
  expect(plan('HostKeyAlias The-Node\nPort 2', 'h').hostKey.name).toBe('the-node');
});

test.each([
  ['IdentityAgent none', null],
  ['IdentityAgent SSH_AUTH_SOCK', '/agent'],
  ['IdentityAgent $SSH_AUTH_SOCK', '/agent'],
  ['IdentityAgent ~/a-%u', '/home/ann/a-ann'],
])('%s', (config, agent) => {
  expect(plan(config, 'h').agent).toBe(agent);
});

test.each([
  ['User a\nPort x', 2, 'port must be a number'],
  ['\n\nHost', 3, 'a value is missing'],
  ['IdentityFile "/a b', 1, 'a quote is not closed'],
  ['HostName %z', 1, 'does not support the token "%z"'],
  ['IdentitiesOnly maybe', 1, 'must be yes or no'],
  ['StrictHostKeyChecking perhaps', 1, 'can\'t be "perhaps"'],
  ['Match flavour sweet', 1, 'no condition "flavour"'],
  ['ProxyCommand nc %h %z', 1, 'does not support the token "%z"'],
  ['User "$(id)"\nProxyCommand nc %r', 2, 'its %r would be "$(id)", which a shell may misread'],
  ['HostName -v\nProxyCommand nc %h', 2, 'its %h would be "-v"'],
  ['ProxyCommand ', 1, 'a value is missing'],
  ['ProxyJump a b', 1, 'is not a jump host'],
  ['ProxyJump -oProxyCommand=x', 1, 'is not a jump host'],
  ['IdentityAgent $NOWHERE', 1, 'NOWHERE, which is not set'],
])('refuses %j with its line', (config, line, what) => {
  const error = failure(() => plan(config, 'h'));
  expect(error.failure).toBe('configuration');
  expect(error.message).toContain(`/c, line ${line}: `);
  expect(error.message).toContain(what);
});
