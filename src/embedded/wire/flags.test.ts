import { describe, expect, it } from 'vitest';
import { FlagError, type FlagSpecs, flagMs, flagNumber, flagOn, parseFlags, usage } from './flags.ts';

const SPECS: FlagSpecs = {
  port: { kind: 'integer', default: '5050', help: 'port' },
  work_dir: { kind: 'text', help: 'directory' },
  authenticate: { kind: 'switch', default: 'false', help: 'guard' },
  timeout: { kind: 'duration', default: '15secs', help: 'time' },
};
const FILES: Record<string, string> = { '/etc/dir': '/var/lib\n' };
const parse = (argv: string[], env: Record<string, string> = {}) =>
  parseFlags(SPECS, argv, env, (path) => {
    const text = FILES[path];
    if (text === undefined) throw new Error('no such file');
    return text;
  });

describe('parseFlags', () => {
  it('fills in defaults and leaves the rest out', () => {
    expect([...parse([])]).toEqual([
      ['port', '5050'],
      ['authenticate', 'false'],
      ['timeout', '15secs'],
    ]);
  });

  it('takes --name=value, --name value, and dashes for underscores', () => {
    expect(parse(['--work_dir=/a=b']).get('work_dir')).toBe('/a=b');
    expect(parse(['--work-dir', '/b']).get('work_dir')).toBe('/b');
  });

  it('takes switches bare, negated and with a value, and never the next argument', () => {
    expect(flagOn(parse(['--authenticate', '--port=1']), 'authenticate')).toBe(true);
    expect(flagOn(parse(['--authenticate=true', '--no-authenticate']), 'authenticate')).toBe(false);
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
    expect(() => parse(['--work_dir=file:///missing'])).toThrow("cannot read '/missing'");
  });

  it.each([
    [['--nonsense=1'], "Failed to load unknown flag 'nonsense'"],
    [['--no-port'], "Failed to load unknown flag 'no-port'"],
    [['stray'], "'stray' is not a flag"],
    [['--port'], "Failed to load flag 'port': Missing value"],
    [['--port=x'], 'expected a whole number'],
    [['--timeout=5'], 'is no duration'],
    [['--authenticate=maybe'], 'expected true or false'],
    [['--no-authenticate=true'], 'takes no value'],
  ])('refuses %j', (argv, message) => {
    expect(() => parse(argv)).toThrow(FlagError);
    expect(() => parse(argv)).toThrow(message);
  });

  it('gives durations in milliseconds', () => {
    expect(flagMs(parse(['--timeout=250ms']), 'timeout')).toBe(250);
  });
});

it('usage names every flag', () => {
  const text = usage('master', SPECS);
  for (const name of Object.keys(SPECS)) expect(text).toContain(name);
});
