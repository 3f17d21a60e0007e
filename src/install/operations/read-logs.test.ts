import { expect, test } from 'vitest';
import { HostError, type RunOptions, type RunResult } from '../../hosts/host.ts';
import type { HostScripts } from '../script/host-scripts.ts';
import { type ReadLogsOptions, readLogs } from './read-logs.ts';
import type { Session } from './session.ts';

const scripts = new Proxy({} as HostScripts, { get: () => '' });
const ENDED: RunResult = { stdout: '', stderr: '', code: 0, signal: null };

/** One connection to a host: what happens on it. */
type Connection = (send: (line: string) => void, script: string, signal: AbortSignal) => Promise<RunResult>;

const entry = (second: number, text: string) =>
  JSON.stringify({
    __REALTIME_TIMESTAMP: String(second * 1e6),
    __CURSOR: `c${second}`,
    _SYSTEMD_UNIT: 'x.service',
    MESSAGE: text,
  });
const refused = (host: string) => new HostError(host, 'unreachable', `${host}: refused`, 'Start it.');
const lost = (host: string) => new HostError(host, 'lost', `the connection to ${host} was lost`, '');
const untilAborted = (signal: AbortSignal) =>
  new Promise<RunResult>((resolve) => signal.addEventListener('abort', () => resolve(ENDED)));

/** Reads until `enough`. @returns lines and notes in the order in which they appeared, and the problems */
async function read(
  connections: Record<string, Connection[]>,
  options: Partial<ReadLogsOptions>,
  enough: (shown: readonly string[]) => boolean = () => false,
) {
  const shown: string[] = [];
  const stop = new AbortController();
  const add = (text: string) => {
    shown.push(text);
    if (enough(shown)) stop.abort();
  };
  const hosts = Object.keys(connections);
  const session = {
    scripts,
    atOnce: 9,
    host: (name: string) => ({
      name,
      run: (script: string, { onLine, signal }: RunOptions) => {
        const next = connections[name]?.shift();
        if (!next || !onLine || !signal) throw new TypeError(`${name} was not expected to be connected`);
        return next(onLine, script, signal);
      },
    }),
  } as unknown as Session;
  const problems = await readLogs(session, {
    hosts,
    services: ['x'],
    follow: true,
    signal: stop.signal,
    onLines: (lines) => {
      for (const { host, text } of lines) add(`${host} ${text}`);
    },
    onNote: (text) => add(text),
    retryMs: 1,
    ...options,
  });
  return { shown, problems: problems.map(({ message }) => message) };
}

test('goes on after the last line of a host that was lost', async () => {
  const asked: string[] = [];
  const { shown } = await read(
    {
      h1: [
        async (send) => {
          send('{"now":5}');
          send(entry(4, 'first'));
          throw lost('h1');
        },
        async (_send, script) => {
          asked.push(script);
          throw refused('h1');
        },
        async (send, _script, signal) => {
          send('{"now":9}');
          send(entry(6, 'from in between'));
          return untilAborted(signal);
        },
      ],
    },
    { tail: 3 },
    (all) => all.includes('h1 from in between'),
  );
  expect(shown.filter((text) => !text.includes(' first'))).toEqual([
    'the connection to h1 was lost; trying again',
    'h1: connected again',
    'h1 from in between',
  ]);
  expect(asked[0]).toContain('CURSOR=c4');
});

test('a host without any line is tried again too, and nothing from in between is left out', async () => {
  const asked: string[] = [];
  const { shown } = await read(
    {
      h1: [
        async (send) => {
          send('{"now":5}');
          throw lost('h1');
        },
        async (send, script, signal) => {
          asked.push(script);
          send('{"now":9}');
          for (const second of [6, 7]) send(entry(second, `${second}`));
          return untilAborted(signal);
        },
      ],
    },
    { tail: 0 },
    (all) => all.includes('h1 7'),
  );
  expect(shown).toContain('h1 6');
  expect(asked[0]).toMatch(/TAIL=all\n.*SINCE=5\n/);
});

test("of Upstart's files, which have no times, only new lines are read again", async () => {
  const asked: string[] = [];
  await read(
    {
      h1: [
        async (send) => {
          send('{"now":0}');
          throw lost('h1');
        },
        async (send, script, signal) => {
          asked.push(script);
          send('{"now":0}');
          send('x new');
          return untilAborted(signal);
        },
      ],
    },
    {},
    (all) => all.includes('h1 new'),
  );
  expect(asked[0]).toContain('CURSOR=none');
});

test('a host that is away at the beginning is waited for if another one is there', async () => {
  const { shown, problems } = await read(
    {
      h1: [
        async () => {
          throw refused('h1');
        },
        async (send, _script, signal) => {
          send('{"now":9}');
          send(entry(9, 'back'));
          return untilAborted(signal);
        },
      ],
      h2: [
        async (send, _script, signal) => {
          send('{"now":5}');
          return untilAborted(signal);
        },
      ],
    },
    {},
    (all) => all.includes('h1 back'),
  );
  expect(shown).toEqual(['h1: refused; trying again', 'h1: connected again', 'h1 back']);
  expect(problems).toEqual([]);
});

test('a host that does not let us in is named at once, and the others are followed', async () => {
  const { shown } = await read(
    {
      h1: [
        async () => {
          throw new HostError('h1', 'authentication', 'h1: no key was accepted', 'Add one.');
        },
      ],
      h2: [
        async (send, _script, signal) => {
          send('{"now":5}');
          send(entry(5, 'works'));
          return untilAborted(signal);
        },
      ],
    },
    {},
    (all) => all.includes('h2 works'),
  );
  expect(shown).toEqual(['h1: no key was accepted\n→ Add one.', 'h2 works']);
});

test('ends with the reasons if no host can be reached, or its log can not be read', async () => {
  const away = (host: string): Connection[] => [
    async () => {
      throw refused(host);
    },
  ];
  expect((await read({ h1: away('h1'), h2: away('h2') }, {})).problems).toEqual([
    'h1: refused',
    'h2: refused',
  ]);
  const broken: Connection[] = [
    async (send) => {
      send('{"now":5}');
      return { ...ENDED, code: 1, stderr: 'no journal' };
    },
  ];
  expect((await read({ h1: broken }, {})).problems).toEqual(["h1: its logs can't be read: no journal"]);
});

test('without --follow, a lost connection is a problem, and the lines so far are shown', async () => {
  const { shown, problems } = await read(
    {
      h1: [
        async (send) => {
          send(entry(2, 'second'));
          throw lost('h1');
        },
      ],
      h2: [
        async (send) => {
          send(entry(1, 'first'));
          return ENDED;
        },
      ],
    },
    { follow: false },
  );
  expect(shown).toEqual(['h2 first', 'h1 second']);
  expect(problems).toEqual(['the connection to h1 was lost']);
});
