import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Operation, ZooKeeperError } from '../client.ts';
import { boolean, buffer, int, JuteReader, string, vector, WireError } from './jute.ts';
import {
  closeSession,
  create,
  exists,
  getChildren,
  getData,
  type Request,
  remove,
  setData,
  transact,
} from './requests.ts';

const bytes = (text: string): Buffer => Buffer.from(text);
const long = (value: number): Buffer => Buffer.from(value.toString(16).padStart(16, '0'), 'hex');

/** A server's Stat. Each field has a different number, so that a wrong order is detected. */
function stat(version: number, owner: Uint8Array): Buffer {
  const head = [long(11), long(12), long(13), long(14), int(version), int(16), int(17)];
  return Buffer.concat([...head, owner, int(18), int(19), long(20)]);
}

function answer<T>({ read }: Request<T>, ...record: Uint8Array[]): T {
  return read({ error: 0, record: new JuteReader(Buffer.concat(record)) });
}

function refusal<T>({ read }: Request<T>, error: number): T {
  return read({ error, record: new JuteReader(Buffer.alloc(0)) });
}

const header = (type: number, done = false): Buffer => Buffer.concat([int(type), boolean(done), int(-1)]);

describe('a request', () => {
  it.each<[string, Request<unknown>, number, string]>([
    [
      'create with an access list',
      create(
        {
          type: 'create',
          path: '/a',
          data: bytes('x'),
          access: 'creator-world-read',
          mode: 'ephemeral-sequential',
        },
        true,
      ),
      1,
      '000000022f610000000178000000020000001f0000000461757468000000000000000100000005776f726c6400000006616e796f6e6500000003',
    ],
    ['delete of any version', remove('/a'), 2, '000000022f61ffffffff'],
    ['exists with a watch and a name beyond ASCII', exists('/ü', true), 3, '000000032fc3bc01'],
    ['getData', getData('/a', false), 4, '000000022f6100'],
    ['getChildren with a watch', getChildren('/a', true), 8, '000000022f6101'],
    ['setData of a version', setData('/a', Uint8Array.of(0, 255), 7), 5, '000000022f610000000200ff00000007'],
    [
      'multi',
      transact(
        [
          { type: 'check', path: '/' },
          { type: 'create', path: '/a', data: bytes(''), access: 'open' },
          { type: 'set', path: '/a', data: bytes('x'), version: 0 },
          { type: 'delete', path: '/a', version: 2 },
        ],
        false,
      ),
      14,
      '0000000d00ffffffff000000012fffffffff0000000100ffffffff000000022f6100000000000000010000001f00000005776f726c6400000006616e796f6e65000000000000000500ffffffff000000022f610000000178000000000000000200ffffffff000000022f6100000002ffffffff01ffffffff',
    ],
    ['closeSession', closeSession, -11, ''],
  ])('is laid out as zookeeper.jute does it: %s', (_, { type, body }, number, hex) => {
    expect({ type, body: body.toString('hex') }).toEqual({ type: number, body: hex });
  });

  it('carries any path, data, mode and version unchanged', () => {
    const path = fc.string({ unit: 'grapheme', maxLength: 30 });
    const modes = ['persistent', 'ephemeral', 'persistent-sequential', 'ephemeral-sequential'] as const;
    fc.assert(
      fc.property(
        path,
        fc.uint8Array({ maxLength: 100 }),
        fc.constantFrom(...modes),
        fc.integer({ min: 0, max: 0x7fffffff }),
        (name, data, mode, version) => {
          const made = new JuteReader(
            create({ type: 'create', path: name, data, access: 'open', mode }, true).body,
          );
          expect([made.string(), made.buffer()]).toEqual([name, Buffer.from(data)]);
          const entries = made.vector(() => [made.int(), made.string(), made.string()]);
          expect(entries).toEqual([[31, 'world', 'anyone']]);
          expect(made.int()).toBe(modes.indexOf(mode));
          const set = new JuteReader(setData(name, data, version).body);
          expect([set.string(), set.buffer(), set.int()]).toEqual([name, Buffer.from(data), version]);
          const removed = new JuteReader(remove(name, version).body);
          expect([removed.string(), removed.int()]).toEqual([name, version]);
        },
      ),
    );
  });

  it('restricts access to the creator only if the session has credentials', () => {
    const entries = (access: 'creator' | 'creator-world-read' | 'open', authenticated: boolean) => {
      const { body } = create({ type: 'create', path: '/a', data: bytes(''), access }, authenticated);
      const reader = new JuteReader(body);
      reader.string();
      reader.buffer();
      return reader.vector(() => `${reader.int()} ${reader.string()} ${reader.string()}`);
    };
    expect(entries('creator', true)).toEqual(['31 auth ']);
    expect(entries('creator-world-read', true)).toEqual(['31 auth ', '1 world anyone']);
    for (const access of ['creator', 'creator-world-read', 'open'] as const) {
      expect(entries(access, false)).toEqual(['31 world anyone']);
    }
  });
});

describe('an answer', () => {
  it('holds any data, version and owner', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 100 }),
        fc.integer(),
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        (data, version, id) => {
          const owner = Buffer.from(id).toString('hex');
          const expected = { version, ...(owner !== '0'.repeat(16) && { owner }) };
          expect(answer(getData('/a', false), buffer(data), stat(version, id))).toEqual({
            data: Buffer.from(data),
            ...expected,
          });
          expect(answer(exists('/a', false), stat(version, id))).toEqual(expected);
          expect(answer(setData('/a', data), stat(version, id))).toEqual(expected);
        },
      ),
    );
  });

  it('has no owner for a persistent znode', () => {
    expect(answer(exists('/a', false), stat(1, long(0)))).toEqual({ version: 1 });
  });

  it('holds names, and the path of what was created', () => {
    expect(answer(getChildren('/a', false), vector([string('b'), string('ü')]))).toEqual(['b', 'ü']);
    const operation = { type: 'create', path: '/a', data: bytes(''), access: 'open' } as const;
    expect(answer(create(operation, false), string('/a0000000001'))).toBe('/a0000000001');
  });

  it('to a multi holds the paths created, among the results of other operations', () => {
    const results = [
      header(13),
      header(1),
      string('/a/s1'),
      header(5),
      stat(3, long(0)),
      header(2),
      header(1),
      string('/a/s2'),
      header(-1, true),
    ];
    expect(answer(transact([], false), ...results)).toEqual(['/a/s1', '/a/s2']);
  });

  it('to a multi that failed throws the error of the operation that failed', () => {
    const operations: Operation[] = [
      { type: 'check', path: '/a' },
      { type: 'delete', path: '/b' },
      { type: 'check', path: '/c' },
    ];
    const results = [0, -111, -2].flatMap((error) => [header(-1), int(error)]);
    expect(() => answer(transact(operations, false), ...results, header(-1, true))).toThrow(
      new ZooKeeperError('NOT_EMPTY', 'ZooKeeper /a /b /c: the znode has children'),
    );
  });

  it('to a multi without an end, or with a result of an unknown type, is refused', () => {
    expect(() => answer(transact([], false), header(13))).toThrow(WireError);
    expect(() => answer(transact([], false), header(99))).toThrow(
      new WireError('99 is not a result type of a multi'),
    );
  });

  it.each([
    [-101, 'NO_NODE'],
    [-102, 'NO_AUTH'],
    [-103, 'BAD_VERSION'],
    [-110, 'NODE_EXISTS'],
    [-111, 'NOT_EMPTY'],
    [-8, 'OTHER'],
    [-999, 'OTHER'],
  ])('with error %i throws %s and names the path', (error, code) => {
    const failure = expect.objectContaining({ code, message: expect.stringContaining('ZooKeeper /a: ') });
    expect(() => refusal(getData('/a', false), error)).toThrow(failure);
    if (error !== -101) expect(() => refusal(exists('/a', false), error)).toThrow(failure);
  });

  it('shows an unknown error code in the message', () => {
    expect(() => refusal(remove('/a'), -999)).toThrow('the server answered with error -999');
  });

  it('of exists is undefined if the znode does not exist', () => {
    expect(refusal(exists('/a', false), -101)).toBeUndefined();
  });

  it('is read from any bytes, or refused with a WireError or ZooKeeperError', () => {
    const requests: Request<unknown>[] = [
      getData('/a', true),
      getChildren('/a', true),
      exists('/a', true),
      setData('/a', bytes('')),
      create({ type: 'create', path: '/a', data: bytes(''), access: 'open' }, false),
      transact([], false),
    ];
    // Starts with valid result types, since random numbers rarely match one.
    const start = fc.constantFrom(Buffer.alloc(0), header(1), header(5), header(-1), header(2));
    fc.assert(
      fc.property(
        fc.constantFrom(...requests),
        start,
        fc.uint8Array({ maxLength: 150 }),
        (request, head, tail) => {
          try {
            answer(request, head, tail);
          } catch (error) {
            expect(error instanceof WireError || error instanceof ZooKeeperError).toBe(true);
          }
        },
      ),
    );
  });
});
