import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { formatHash } from '../api/scrypt-hash.ts';
import { optionsFrom } from './options.ts';
import { readFlags, usage } from './parse-flags.ts';

const directory = mkdtempSync(join(tmpdir(), 'flags-'));
const secret = join(directory, 'secret');
writeFileSync(secret, 'open sesame\n');
afterAll(() => rmSync(directory, { recursive: true }));

function options(args: string[], environment: NodeJS.ProcessEnv = {}) {
  return optionsFrom(readFlags(args, environment));
}

it('has defaults for all flags except the master', () => {
  const { settings, ...rest } = options(['--master', 'm']);
  expect(rest).toMatchObject({
    masters: { list: ['m:5050'] },
    httpAddress: '127.0.0.1',
    httpPort: 8080,
    loggingLevel: 'info',
  });
  expect(rest).not.toHaveProperty('credential');
  expect(settings.framework).toEqual({
    user: 'root',
    name: 'mesosup',
    failover_timeout: 604_800,
    checkpoint: true,
    roles: ['*'],
    capabilities: [{ type: 'PARTITION_AWARE' }, { type: 'MULTI_ROLE' }, { type: 'TASK_KILLING_STATE' }],
  });
  expect(settings.containerizer).toBe('executor');
  expect(settings.mesosBridgeName).toBe('mesos-bridge');
  expect(settings).not.toHaveProperty('defaultNetworkName');
  expect(settings.maxInstancesPerOffer).toBe(1000);
  expect(settings.dockerExecutor.path).toBe('/var/lib/mesos/executors/docker');
  expect(settings.dockerExecutor.info.labels?.labels).toContainEqual({
    key: 'mesosup.cluster',
    value: 'mesosup',
  });
  expect(settings.dockerExecutor.idPrefix).toMatch(/^mesosup-docker\.[0-9a-f]{12}\.default$/);
});

it('has a default network on demand', () => {
  const { settings } = optionsFrom(readFlags(['--master', 'm', '--default_network_name', 'blue'], {}));
  expect(settings.defaultNetworkName).toBe('blue');
});

it('has a CPU quota, offers with GPUs and a policy on demand', () => {
  const policy = join(directory, 'policy.json');
  writeFileSync(policy, '{"allowedUsers": ["joe"]}');
  const args = ['--master', 'm', '--docker_cpu_quota', '--gpu_resources', '--policy', policy];
  expect(options(args).settings).toMatchObject({
    dockerCpuQuota: true,
    policy: { allowCommands: false, allowedUsers: ['joe'] },
    framework: { capabilities: expect.arrayContaining([{ type: 'GPU_RESOURCES' }]) },
  });
});

it('prefers flags to the environment', () => {
  const environment = {
    MARATHON_HTTP_PORT: '1',
    MARATHON_MASTER: 'e:1,http://f:2/',
    MARATHON_ENDPOINTS_PORT_SUFFIX: 'true',
  };
  expect(options(['--http_port=2'], environment)).toMatchObject({
    httpPort: 2,
    masters: { list: ['e:1', 'f:2'] },
    endpointsPortSuffix: true,
  });
  expect(options(['--master', 'm', '--endpoints_port_suffix']).endpointsPortSuffix).toBe(true);
  expect(options(['--master', 'm'], { MARATHON_ENDPOINTS_PORT_SUFFIX: 'false' }).endpointsPortSuffix).toBe(
    false,
  );
});

it('reads secrets from files', () => {
  const args = [
    '--master',
    'm',
    '--mesos_authentication_principal',
    'p',
    '--mesos_authentication_secret_file',
    secret,
  ];
  expect(options(args)).toMatchObject({
    credential: { principal: 'p', secret: 'open sesame' },
    settings: { framework: { principal: 'p' } },
  });
  writeFileSync(join(directory, 'http'), 'u:p');
  const operator = {
    user: { name: 'u', role: 'operator' },
    secret: { kind: 'password', text: 'p' },
  };
  expect(options(['--master', 'm', '--http_credentials_file', join(directory, 'http')]).accounts).toEqual([
    operator,
  ]);
  expect(options(['--master', 'm'], { MARATHON_HTTP_CREDENTIALS: 'u:p' }).accounts).toEqual([operator]);
  writeFileSync(join(directory, 'tokens'), '# of the deployer\n0123456789abcdef\n\n  fedcba9876543210==  \n');
  expect(options(['--master', 'm', '--http_tokens_file', join(directory, 'tokens')]).accounts).toEqual([
    { user: { name: 'token-1', role: 'operator' }, secret: { kind: 'token', text: '0123456789abcdef' } },
    { user: { name: 'token-2', role: 'operator' }, secret: { kind: 'token', text: 'fedcba9876543210==' } },
  ]);
});

it('reads named users and tokens with their roles', () => {
  const hash = '$scrypt$ln=15,r=8,p=1$TmFDbC1OYUNs$0RJdOnfVIUCzJ0UoV9iVS/+ajujNITbY2hW5o3l8Ro8';
  const users = join(directory, 'users');
  const tokens = join(directory, 'named-tokens');
  const first = join(directory, 'first');
  writeFileSync(first, 'mesosup:x\n[viewer]\nlb:y\n');
  writeFileSync(users, `olga: a:b [c] # d \n# people\n[viewer]\nanna:${hash}\r\n\n[operator]\nbert:[x]`);
  writeFileSync(tokens, 'aaaaaaaaaaaaaaaa\n[viewer]\ngrafana:bbbbbbbbbbbbbbbb\ncccccccccccccccc\n');
  const files = ['--http_credentials_file', first, '--http_users_file', users, '--http_tokens_file', tokens];
  const { accounts = [] } = options(['--master', 'm', ...files]);
  const shown = accounts.map(({ user: { name, role }, secret }) => [
    name,
    role,
    secret.kind === 'hash' ? formatHash(secret.hash) : secret.text,
  ]);
  expect(shown).toEqual([
    ['mesosup', 'operator', 'x'],
    ['lb', 'viewer', 'y'],
    ['olga', 'operator', ' a:b [c] # d '],
    ['anna', 'viewer', hash],
    ['bert', 'operator', '[x]'],
    ['token-1', 'operator', 'aaaaaaaaaaaaaaaa'],
    ['grafana', 'viewer', 'bbbbbbbbbbbbbbbb'],
    ['token-3', 'viewer', 'cccccccccccccccc'],
  ]);
});

it('reads several secrets of the framework, and several passwords of a user', () => {
  const file = join(directory, 'several');
  writeFileSync(file, 'old\nnew\n');
  const { credential } = options([
    ...['--master', 'm', '--mesos_authentication_principal', 'p'],
    ...['--mesos_authentication_secret_file', file],
  ]);
  expect(credential).toEqual({ principal: 'p', secret: 'old', others: ['new'] });
  writeFileSync(file, 'u:old\nu:new\n[viewer]\nlb:1\nlb:2\n');
  const { accounts } = options(['--master', 'm', '--http_credentials_file', file]);
  expect(accounts?.map(({ user, secret }) => [user.name, user.role, secret])).toEqual(
    [
      ['u', 'operator', 'old'],
      ['u', 'operator', 'new'],
      ['lb', 'viewer', '1'],
      ['lb', 'viewer', '2'],
    ].map(([name, role, text]) => [name, role, { kind: 'password', text }]),
  );
});

it('refuses a token with two roles, and takes one that is there twice', () => {
  const file = join(directory, 'two-roles');
  const token = 'a'.repeat(16);
  const run = () => options(['--master', 'm', '--http_tokens_file', file]);
  writeFileSync(file, `x:${token}\n[viewer]\ny:${token}\n`);
  expect(run).toThrow(/token 2 of .* is there already with the role operator$/);
  writeFileSync(file, `${token}\n${token}\n`);
  expect(run().accounts).toHaveLength(2);
});

it.each([
  ['sesame', /line 1 of .* must be NAME:PASSWORD/],
  ['[admin]\na:sesame', /line 1 of .* names an unknown role: expected \[viewer\] or \[operator\]/],
  ['a:sesame\n[viewer]\na:b', /line 3 of .* names a user that is there already with the role operator/],
  [':sesame', /line 1 of .* has an invalid name/],
  ['a:$2b$12$sesame', /line 1 of .* has an unknown hash/],
  ['a:', /line 1 of .* has an empty password/],
  ['# a:sesame', /contains no user/],
  ['u:sesame', /contains u, who is in --http_credentials_file already/],
])('refuses the list of users %j without repeating a secret', (text, message) => {
  const file = join(directory, 'bad-users');
  writeFileSync(file, text);
  const run = () =>
    options(['--master', 'm', '--http_users_file', file], { MARATHON_HTTP_CREDENTIALS: 'u:p' });
  expect(run).toThrow(message);
  expect(run).toThrow(/^--http_users_file: (?!.*sesame)/);
});

it('refuses further lines of the credentials that are no users, and users that are there twice', () => {
  const file = join(directory, 'with-viewers');
  const users = join(directory, 'same-users');
  writeFileSync(file, 'u:p\n[viewer]\nsesame\n');
  const run = () => options(['--master', 'm', '--http_credentials_file', file, '--http_users_file', users]);
  expect(run).toThrow(/^--http_credentials_file: line 3 of (?!.*sesame)/);
  writeFileSync(file, 'u:p\n[viewer]\nlb:sesame\n');
  writeFileSync(users, 'lb:other');
  expect(run).toThrow(/contains lb, who is in --http_credentials_file already/);
});

it('takes no line but the first as the operator: a comment before it would be a password that is no secret', () => {
  const file = join(directory, 'not-first');
  const run = () => options(['--master', 'm', '--http_credentials_file', file]);
  for (const text of [
    '# users\nu:sesame\n',
    '# see: docs\nu:sesame\n',
    '[operator]\nu:sesame\n',
    '\nu:sesame\n',
  ]) {
    writeFileSync(file, text);
    expect(run).toThrow(/must contain USER:PASSWORD in its first line$/);
  }
  writeFileSync(file, 'u:p\n[viewer]\nu:sesame\n');
  expect(run).toThrow(/contains u with two roles$/);
  const { accounts } = options(['--master', 'm'], { MARATHON_HTTP_CREDENTIALS: 'u:two\nlines' });
  expect(accounts).toMatchObject([{ secret: { text: 'two\nlines' } }]);
});

it('listens with TLS if configured', () => {
  const tls = ['--https_port', '8443', '--ssl_cert_file', secret, '--ssl_key_file', secret];
  expect(options(['--master', 'm', ...tls])).toMatchObject({
    httpPort: 8080,
    tls: { port: 8443, cert: secret, key: secret },
  });
  const only = options([
    '--master',
    'm',
    ...tls,
    '--disable_http',
    '--zk',
    'zk://h/x',
    '--ssl_ca_file',
    secret,
  ]);
  expect(only).not.toHaveProperty('httpPort');
  expect(only).toMatchObject({ tls: { ca: secret } });
  expect(
    options(['--master', 'm', ...tls, '--ssl_ca_file', secret, '--ssl_require_service_cert']),
  ).toMatchObject({ requiresServiceCertificate: true });
  expect(options(['--master', 'm'])).not.toHaveProperty('tls');
  expect(options(['--master', 'm'])).not.toHaveProperty('mesosTls');
  const toMesos = ['--mesos_ssl', 'preferred', '--ssl_cert_file', secret, '--ssl_key_file', secret];
  expect(options(['--master', 'm', ...toMesos])).toMatchObject({
    mesosTls: { mode: 'preferred', cert: secret, key: secret },
  });
});

it('reads the sites whose pages may use the API', () => {
  const origins = 'https://ui.example, http://h:1';
  expect(options(['--master', 'm', '--access_control_allow_origin', origins]).allowedOrigins).toEqual([
    'https://ui.example',
    'http://h:1',
  ]);
  expect(options(['--master', 'm'], { MARATHON_ACCESS_CONTROL_ALLOW_ORIGIN: '*' }).allowedOrigins).toEqual([
    '*',
  ]);
});

it('reads the addresses of masters and state in ZooKeeper, also from a file', () => {
  const address = { servers: [{ host: 'h', port: 2181 }], credentials: 'u:p/w', path: '/mesos' };
  expect(options(['--master', 'zk://u:p/w@h/mesos'])).toMatchObject({ masters: { zooKeeper: address } });
  expect(options(['--master', 'm'])).not.toHaveProperty('zooKeeper');
  const file = join(directory, 'zk');
  writeFileSync(file, 'zk://u:p/w@h/mesos\n');
  expect(options(['--master', `file://${file}`, '--zk', `file://${file}`])).toMatchObject({
    masters: { zooKeeper: address },
    zooKeeper: address,
  });
  writeFileSync(file, 'm1:5050,m2:5050\n');
  expect(options([], { MARATHON_MASTER: `file://${file}`, MARATHON_ZK: 'zk://h/x' })).toMatchObject({
    masters: { list: ['m1:5050', 'm2:5050'] },
    zooKeeper: { path: '/x' },
  });
});

it('never repeats a password', () => {
  for (const args of [
    ['--master', 'zk://u:sesame@h h/x'],
    ['--master', 'm', '--zk', 'zk://u:sesame@h:0/x'],
    ['--master', 'm', '--zk', 'u:sesame@h/x'],
  ]) {
    expect(() => options(args)).toThrow(/^--(master|zk): (?!.*sesame)/);
  }
});

it.each([
  [['--nonsense'], /--nonsense.*--help/],
  [['extra'], /extra/],
  [[], /--master is missing/],
  [['--master', 'a b'], /--master: "a b" is not a master address/],
  [['--master', 'file:///none'], /--master can't be read.*\/none/],
  [['--master', 'm', '--zk', 'h:2181'], /--zk: not a ZooKeeper address/],
  [['--master', 'm', '--zk', 'file:///none'], /--zk can't be read.*\/none/],
  [['--master', 'm', '--http_port', 'x'], /--http_port is 'x': expected a whole number from 0 to 65535/],
  [['--master', 'm', '--http_port', '65536'], /--http_port/],
  [['--master', 'm', '--local_port_min', '5', '--local_port_max', '4'], /--local_port_max is '4'/],
  [['--master', 'm', '--logging_level', 'loud'], /--logging_level is 'loud'/],
  [
    ['--master', 'm', '--mesos_authentication_secret_file', secret],
    /without --mesos_authentication_principal/,
  ],
  [
    ['--master', 'm', '--mesos_authentication_principal', 'p', '--mesos_authentication_secret_file', '/none'],
    /can't be read.*\/none/,
  ],
  [['--master', 'm', '--http_credentials_file', secret], /must contain USER:PASSWORD/],
  [
    ['--master', 'm', '--http_credentials', 'u:sesame'],
    /^--http_credentials is a flag of Marathon(?!.*sesame).*_file/,
  ],
  [['--master', 'm', '--http_tokens_file', secret], /token 1 of .*(?!.*sesame)/],
  [['--master', 'm', '--http_tokens_file', '/dev/null'], /contains no token/],
  [['--master', 'm', '--containerizer', 'x'], /is 'x': expected one of executor, docker, mesos/],
  [['--master', 'm', '--policy', '/none'], /--policy can't be read.*\/none/],
  [['--master', 'm', '--policy', secret], /^--policy: .*secret: must be a JSON object/],
  [['--master', 'm', '--mesos_bridge_name', 'a b'], /is 'a b': expected letters/],
  [['--master', 'm', '--https_port', '1'], /needs a certificate and its key/],
  [['--master', 'm', '--ssl_cert_file', secret], /needs its key: set both/],
  [['--master', 'm', '--ssl_cert_file', secret, '--ssl_key_file', secret], /without --https_port/],
  [['--master', 'm', '--mesos_ssl', 'on'], /is 'on': expected one of off, preferred, required/],
  [['--master', 'm', '--mesos_ssl', 'required', '--ssl_ca_file', '/none'], /--ssl_ca_file can't be read/],
  [['--master', 'm', '--ssl_require_service_cert'], /needs --https_port and --ssl_ca_file/],
  [['--master', 'm', '--disable_http'], /without --https_port/],
  [['--master', 'm', '--ssl_ca_file', secret], /no effect without --https_port or --mesos_ssl/],
  [
    ['--master', 'm', '--access_control_allow_origin', 'ui.example'],
    /is 'ui.example': expected \* or origins such as/,
  ],
  [
    ['--master', 'm', '--zk_max_versions=5'],
    /--zk_max_versions is a flag of Marathon that mesosup does not support/,
  ],
  [['--http-port', '1'], /Unknown option '--http-port'. Did you mean --http_port\?/],
  [['--mesosrole', '1'], /Did you mean --mesos_role\?/],
])('refuses %j', (args, message) => {
  expect(() => options(args)).toThrow(message);
});

it('lists every flag', () => {
  expect(usage()).toContain('--data_dir DIRECTORY');
  expect(usage()).toContain('--env_vars_prefix\n      tasks get PORT');
  expect(usage().match(/--max_instances_per_offer /g)).toHaveLength(1);
  expect(readFlags(['--help'], {}).isOn('help')).toBe(true);
});
