import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PLAN } from '../../../test/executor/plan.ts';
import { isSwitch, KNOWN_OPTIONS, parseOptions, SHORT_OPTIONS } from './docker-options.ts';
import {
  type AgentPolicy,
  admittedPlan,
  mountedSources,
  policyProblem,
  type ResolvedSources,
  SAFE_PARAMETERS,
} from './policy.ts';

const FILE = '/etc/mesosup/executor.json';
const CLOSED: AgentPolicy = { allowPrivileged: false };

const planOf = (options: readonly string[]) => ({ ...PLAN, options: [...options] });

function admit(policy: AgentPolicy, options: readonly string[], sources?: ResolvedSources) {
  return admittedPlan(planOf(options), { file: FILE, policy }, sources).options;
}

const found = (paths: Record<string, string | undefined>, volumes: Record<string, string> = {}) => ({
  paths: new Map(Object.entries(paths)),
  volumes: new Map(Object.entries(volumes)),
});

test('without a policy, containers may use everything', () => {
  const options = ['--privileged=true', '--volume=/:/host', '--pid=host', '--anything'];
  for (const policy of [{}, { exec: false, registries: { 'r.example': { identityToken: 't' } } }]) {
    expect(admit(policy, options)).toEqual(options);
  }
});

test('a file that can’t be read refuses every container', () => {
  expect(() => admittedPlan(planOf([]), { file: FILE, problem: 'is not valid JSON' }, undefined)).toThrow(
    '/etc/mesosup/executor.json on this agent: is not valid JSON',
  );
});

describe('a closed agent', () => {
  test.each([
    [['--privileged=true'], /may not be privileged \(allowPrivileged\): forbidden by \/etc\/mesosup/],
    [['--privileged'], /privileged/],
    [['--privileged=1'], /privileged/],
    [['--privileged=false', '--privileged=T'], /privileged/],
    [['-itv/:/x'], /may not mount "\/"/],
    [['-v', '/:/x'], /may not mount "\/"/],
    [['--volume=../x:/x'], /can't be checked/],
    [['--volume=c:/x'], /can't be checked/],
    [['--volume=/:/x:z'], /can't be checked/],
    [['--volume=/a:/b:/c:ro'], /can't be checked/],
    [['--volume=/a\n:/b'], /can't be checked/],
    [['--volume=data:/x:rshared'], /may not be shared/],
    [['--mount=type=bind,source=/,target=/x'], /may not mount "\/"/],
    [['--mount=type=bind,src=/,dst=/x,readonly'], /may not mount "\/"/],
    [['--mount=TYPE=bind,source=/,target=/x'], /can't be checked/],
    [['--mount=type=BIND,source=/,target=/x'], /can't be checked/],
    [['--mount="type=bind","source=/",target=/x'], /can't be checked/],
    [['--mount=type=volume,source=a,type=bind,source=/,target=/x'], /can't be checked/],
    [['--mount=type=volume,dst=/x,volume-opt=type=none,volume-opt=o=bind'], /can't be checked/],
    [['--mount=type=volume,dst=/x,volume-driver=local'], /can't be checked/],
    [['--mount=type=npipe,source=/,dst=/x'], /can't be checked/],
    [['--net=host'], /may not use the network "host" \(allowedNetworks\)/],
    [['--network', 'host'], /network "host"/],
    [['--network=name=host'], /network "name=host"/],
    [['--network=container:other'], /network "container:other"/],
    [['--network=bridge', '--network=host'], /network "host"/],
    [['--use-api-socket'], /parameter "use-api-socket" \(allowedParameters\)/],
    [['--later-option=x'], /parameter "later-option"/],
    [['--env-file=/etc/shadow'], /parameter "env-file"/],
  ])('refuses %j', (options, message) => {
    expect(() => admit(CLOSED, options, found({ '/': '/' }))).toThrow(message);
  });

  test('refuses every option of docker create that is not allowed, however it is written', () => {
    const spelled = KNOWN_OPTIONS.flatMap((name) => {
      const short = Object.keys(SHORT_OPTIONS).filter((letter) => SHORT_OPTIONS[letter] === name);
      const long = [[`--${name}=true`], isSwitch(name) ? [`--${name}`] : [`--${name}`, 'true']];
      const joined = short.flatMap((letter) =>
        isSwitch(name) ? [[`-${letter}`], [`-it${letter}`]] : [[`-${letter}`, 'true'], [`-it${letter}true`]],
      );
      return [...long, ...joined].map((words) => ({ name, words }));
    });
    expect(spelled.length).toBeGreaterThan(200);
    const checked = new Set(['volume', 'mount', 'network', 'privileged']);
    for (const { name, words } of spelled) {
      if (SAFE_PARAMETERS.includes(name)) expect(() => admit(CLOSED, words)).not.toThrow();
      else if (!checked.has(name)) expect(() => admit(CLOSED, words), words.join(' ')).toThrow(`"${name}"`);
    }
    for (const words of [['--network=true'], ['--privileged'], ['--mount=true']])
      expect(() => admit(CLOSED, words)).toThrow('forbidden by');
  });

  test('lets no option through that it does not allow, in any combination of words', () => {
    const name = fc.oneof(fc.constantFrom(...KNOWN_OPTIONS), fc.constantFrom('net', 'later', '', '-v'));
    const value = fc.constantFrom(
      'true',
      'false',
      'host',
      '/:/x',
      '--privileged',
      '-v',
      'type=bind,src=/,dst=/x',
    );
    const words = fc.oneof(
      fc.tuple(name, value).map(([n, v]) => [`--${n}=${v}`]),
      fc.tuple(name, value).map(([n, v]) => [`--${n}`, v]),
      name.map((n) => [`--${n}`]),
      fc
        .tuple(fc.string({ unit: fc.constantFrom(...'itvpePmuw=/:'), maxLength: 6 }), value)
        .map(([s, v]) => [`-${s}`, v]),
    );
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 3 }), (parts) => {
        let options: string[];
        try {
          options = admit(CLOSED, parts.flat(), found({ '/': '/' }));
        } catch {
          return;
        }
        for (const word of options) {
          const [, option, text] = /^--([a-z0-9-]+)=(.*)$/s.exec(word) ?? [];
          expect(option, word).toBeDefined();
          if (option === 'privileged') expect(text).toBe('false');
          else if (option === 'network') expect(text).toMatch(/^(bridge|none|default)$/);
          else if (option === 'volume') expect(text).not.toContain(':/x');
          else if (option === 'mount') expect(text).not.toContain('bind');
          else expect(SAFE_PARAMETERS).toContain(option);
        }
        // The docker program reads the words as this file wrote them.
        expect(parseOptions(options)).toMatchObject({ options: options.map(() => ({})) });
      }),
      { numRuns: 2000 },
    );
  });

  test('allows what the policy names', () => {
    const policy = { allowPrivileged: true, allowedNetworks: ['host', 'web'], allowedParameters: ['device'] };
    const options = ['--privileged=true', '--network=host', '--network=web', '--device=/dev/null'];
    expect(admit(policy, options)).toEqual(options);
    expect(() => admit(policy, ['--network=none'])).toThrow('"none"');
    expect(() => admit(policy, [])).toThrow('network "bridge"');
    expect(() => admit(policy, ['--network=web', '--hostname=x'])).toThrow('"hostname"');
    const all = { allowedNetworks: ['*'], allowedParameters: ['*'] };
    expect(admit(all, ['--network=name=x', '--later=x', '--device=/dev/null'])).toHaveLength(3);
    expect(() => admit(all, ['--volume=/:/x'], found({ '/': '/' }))).toThrow('allowedHostPaths');
  });
});

test('the mounted sources are paths of the host and named volumes', () => {
  const options = [
    '--volume=/a:/x:ro',
    '--volume=/new',
    '-v',
    'data:/y',
    '--mount=type=tmpfs,dst=/z',
    '--init',
  ];
  expect(mountedSources(planOf(options))).toMatchObject([
    { from: 'host', source: '/a' },
    { from: 'volume', source: 'data' },
  ]);
  expect(mountedSources(planOf(['word']))).toEqual([]);
});

describe('paths of the host', () => {
  const policy: AgentPolicy = {
    allowedHostPaths: [{ path: '/data' }, { path: '/logs', readOnly: true }, { path: '/run/x' }],
  };
  const sources = found(
    {
      '/data': '/data',
      '/logs': '/logs',
      '/run/x': '/real/x',
      '/data/a': '/data/a',
      '/data/link': '/etc',
      '/data/nowhere': undefined,
      '/database': '/database',
      '/elsewhere': '/data/b',
      '/logs/l': '/logs/l',
      '/real/x/y': '/real/x/y',
      '/data/../etc': '/etc',
      '/colon': '/data/a:b',
    },
    { bound: '/etc', nfs: ':/export', inside: '/data/v' },
  );

  test.each([
    ['--volume=/data/a:/x', '--volume=/data/a:/x'],
    ['--volume=/data:/x:rw', '--volume=/data:/x:rw'],
    ['--volume=/elsewhere:/x:ro', '--volume=/data/b:/x:ro'],
    ['--volume=/logs/l:/x:ro', '--volume=/logs/l:/x:ro'],
    ['--volume=/real/x/y:/x', '--volume=/real/x/y:/x'],
    [
      '--mount=type=bind,src=/elsewhere,dst=/x,ro',
      '--mount=type=bind,source=/data/b,target=/x,readonly=true',
    ],
    ['--volume=named:/x', '--volume=named:/x'],
    ['--volume=inside:/x', '--volume=inside:/x'],
    ['--volume=/x', '--volume=/x'],
    ['--mount=type=tmpfs,dst=/x,tmpfs-size=1m', '--mount=type=tmpfs,dst=/x,tmpfs-size=1m'],
  ])('%s is mounted as %s', (option, expected) => {
    expect(admit(policy, [option], sources)).toEqual([expected]);
  });

  test.each([
    ['--volume=/data/link:/x', '"/data/link", which is /etc,'],
    ['--volume=/data/nowhere:/x', '"/data/nowhere"'],
    ['--volume=/database:/x', '"/database"'],
    ['--volume=/data/../etc:/x', 'which is /etc,'],
    ['--volume=/logs/l:/x', '"/logs/l"'],
    ['--volume=/logs/l:/x:ro,rw', '"/logs/l"'],
    ['--mount=type=bind,src=/logs/l,dst=/x,readonly=false', '"/logs/l"'],
    ['--volume=/colon:/x', '"/colon"'],
    ['--volume=/unknown:/x', '"/unknown"'],
    ['--volume=bound:/x', 'which is /etc,'],
    ['--volume=nfs:/x', 'which is :/export,'],
    ['--mount=type=volume,src=bound,dst=/x', 'which is /etc,'],
  ])('%s is refused', (option, text) => {
    expect(() => admit(policy, [option], sources)).toThrow(text);
  });
});

test.each([
  [[], 'must be a JSON object'],
  [{ allowPrivileged: 'no' }, 'allowPrivileged must be true or false'],
  [{ allowedHostPath: [] }, 'allowedHostPath is not a key of this file'],
  [{ allowedHostPaths: ['/x'] }, 'allowedHostPaths[0] must be an object'],
  [
    { allowedHostPaths: [{ path: '/x' }, { path: 'x' }] },
    'allowedHostPaths[1].path must be an absolute path without ..',
  ],
  [
    { allowedHostPaths: [{ path: '/x/../y' }] },
    'allowedHostPaths[0].path must be an absolute path without ..',
  ],
  [
    { allowedHostPaths: [{ path: '/x', readonly: true }] },
    'allowedHostPaths[0].readonly is not a key of this file',
  ],
  [{ allowedNetworks: 'host' }, 'allowedNetworks must be a list'],
  [{ allowedParameters: [1] }, 'allowedParameters[0] must be a string'],
])('the content %j of the file is refused', (content, problem) => {
  expect(policyProblem(content)).toBe(problem);
});
