import { describe, expect, it } from 'vitest';
import {
  FlagError,
  type FlagSpecs,
  flagMs,
  flagNumber,
  flagOn,
  flagSecret,
  inertFlags,
  parseFlags,
  shownFlags,
  usage,
} from './flags.ts';

const SPECS: FlagSpecs = {
  port: { kind: 'integer', default: '5050', help: 'port' },
  work_dir: { kind: 'text', help: 'directory' },
  authenticate: { kind: 'switch', default: 'false', help: 'guard', alias: 'authenticate_old' },
  credentials: { kind: 'path', help: 'file' },
  zk: { kind: 'secret', help: 'address' },
  timeout: { kind: 'duration', default: '15secs', help: 'time' },
};
const FILES: Record<string, string> = { '/etc/dir': '/var/lib\n', '/etc/zk': 'zk://u:p@h/mesos\n' };
const readFile = (path: string): string => {
  const text = FILES[path];
  if (text === undefined) throw new Error('no such file');
  return text;
};
const parse = (argv: string[], env: Record<string, string> = {}) => parseFlags(SPECS, argv, env, readFile);

describe('parseFlags', () => {
  it('fills in defaults and leaves out other flags', () => {
    expect([...parse([])]).toEqual([
      ['port', '5050'],
      ['authenticate', 'false'],
      ['timeout', '15secs'],
    ]);
  });

  it('accepts --name=value and an older name, and ignores arguments that are not flags', () => {
    expect(parse(['--work_dir=/a=b', '', 'stray']).get('work_dir')).toBe('/a=b');
    expect(flagOn(parse(['--authenticate_old']), 'authenticate')).toBe(true);
    expect(flagOn(parse([], { MESOS_AUTHENTICATE_OLD: '' }), 'authenticate')).toBe(true);
    expect(parse(['--', '--nonsense']).get('port')).toBe('5050');
  });

  it('accepts switches bare, negated and with a value, and never uses the next argument', () => {
    expect(flagOn(parse(['--authenticate', '--port=1']), 'authenticate')).toBe(true);
    expect(flagOn(parse(['--no-authenticate'], { MESOS_AUTHENTICATE: 'true' }), 'authenticate')).toBe(false);
    expect(flagOn(parse(['--authenticate=1']), 'authenticate')).toBe(true);
  });

  it('reads the environment, which the command line overrides, and ignores unknown variables there', () => {
    const env = { MESOS_PORT: '1', MESOS_NATIVE_LIBRARY: 'x', MESOS_WORK_DIR: '/env' };
    const flags = parse(['--port=2'], env);
    expect(flagNumber(flags, 'port')).toBe(2);
    expect(flags.get('work_dir')).toBe('/env');
  });

  it('reads file:// values from the file', () => {
    expect(parse(['--work_dir=file:///etc/dir']).get('work_dir')).toBe('/var/lib');
    expect(() => parse(['--work_dir=file:///missing'])).toThrow("Error reading file '/missing'");
  });

  it('does not read files of paths and of secrets', () => {
    const flags = parse(['--credentials=file:///etc/c', '--zk=file:///etc/zk']);
    expect(flags.get('credentials')).toBe('/etc/c');
    expect(shownFlags(SPECS, flags).get('zk')).toBe('file:///etc/zk');
    expect(flagSecret(flags, 'zk', readFile)).toBe('zk://u:p@h/mesos');
    expect(() => flagSecret(parse(['--zk=file:///x']), 'zk', readFile)).toThrow("Error reading file '/x'");
  });

  it('shows no password', () => {
    expect(shownFlags(SPECS, parse(['--zk=zk://u:p@ss@h/mesos'])).get('zk')).toBe('zk://***@h/mesos');
    expect(shownFlags(SPECS, parse(['--zk=zk://h/mesos'])).get('zk')).toBe('zk://h/mesos');
  });

  it.each([
    [['--nonsense=1'], "Failed to load unknown flag 'nonsense'"],
    [['--no-nonsense'], "Failed to load unknown flag 'nonsense' via 'no-nonsense'"],
    [['--work-dir=/a'], "Failed to load unknown flag 'work-dir'"],
    [['--no-port'], "Failed to load non-boolean flag 'port' via 'no-port'"],
    [['--port', '1'], "Failed to load non-boolean flag 'port': Missing value"],
    [['--port=1', '--port=2'], "Flag 'port' is already loaded via name 'port'"],
    [['--port=x'], 'expected a whole number'],
    [['--timeout=5'], 'is not a duration'],
    [['--authenticate=maybe'], 'expected true or false'],
    [['--no-authenticate=true'], "via 'no-authenticate' with value 'true'"],
  ])('refuses %j', (argv, message) => {
    expect(() => parse(argv)).toThrow(FlagError);
    expect(() => parse(argv)).toThrow(message);
  });

  it('returns durations in milliseconds', () => {
    expect(flagMs(parse(['--timeout=250ms']), 'timeout')).toBe(250);
  });
});

it('usage lists every flag, and marks flags without effect', () => {
  const specs = { ...SPECS, ...inertFlags('switch', 'quiet\n  strict') };
  const text = usage('master', specs);
  for (const name of Object.keys(specs)) expect(text).toContain(name);
  expect(text).toMatch(/--\[no-\]strict .*no effect/);
});
