import fc from 'fast-check';
import { expect, it } from 'vitest';
import { boolean, buffer, int, JuteReader, string, WireError } from './jute.ts';
import {
  authRequest,
  connectRequest,
  nextXid,
  readConnectResponse,
  readReply,
  readWatchEvent,
} from './protocol.ts';

const long = (hex: string): Buffer => Buffer.from(hex.padStart(16, '0'), 'hex');

it('encodes the handshake as in zookeeper.jute, with the read-only flag at the end', () => {
  const password = Buffer.alloc(16, 0xab);
  const request = connectRequest(10_000, {
    id: long('0102030405060708'),
    password,
    zxid: long('0000000100000002'),
  });
  expect(request.toString('hex')).toBe(
    `0000000000000001000000020000271001020304050607080000001${'0'}${'ab'.repeat(16)}00`,
  );
});

it('encodes authentication as in zookeeper.jute', () => {
  const hex = 'fffffffc000000640000000000000006646967657374000000056d653a7077';
  expect(authRequest('me:pw').toString('hex')).toBe(hex);
});

it('counts xids from 0 to the largest int and wraps around to 0', () => {
  expect([0, 1, 0x7ffffffe, 0x7fffffff].map(nextXid)).toEqual([1, 2, 0x7fffffff, 0]);
});

it.each([['with', boolean(false)] as const, ['without', Buffer.alloc(0)] as const])(
  'reads the answer to the handshake %s the read-only flag',
  (_, flag) => {
    const id = long('0102030405060708');
    const password = Buffer.alloc(16, 7);
    const answer = (timeoutMs: number): Buffer =>
      Buffer.concat([int(0), int(timeoutMs), id, buffer(password), flag]);
    expect(readConnectResponse(answer(4000))).toEqual({ id, password, timeoutMs: 4000 });
    expect(readConnectResponse(answer(0))).toBeUndefined();
  },
);

it('reads the header of any reply and leaves the record after it unread', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.uint8Array({ minLength: 8, maxLength: 8 }),
      fc.integer(),
      fc.string(),
      (xid, zxid, error, rest) => {
        const reply = readReply(Buffer.concat([int(xid), zxid, int(error), string(rest)]));
        expect(reply).toMatchObject({ xid, zxid: Buffer.from(zxid), error });
        expect(reply.record.string()).toBe(rest);
      },
    ),
  );
});

it('reads the four types of watch events and refuses any other', () => {
  const read = (type: number) =>
    readWatchEvent(new JuteReader(Buffer.concat([int(type), int(3), string('/a')])));
  expect([1, 2, 3, 4].map(read)).toEqual(
    ['created', 'deleted', 'data-changed', 'children-changed'].map((type) => ({ type, path: '/a' })),
  );
  for (const type of [-1, 0, 5]) expect(() => read(type)).toThrow(WireError);
});

it('reads any packet or refuses it with a WireError', () => {
  const readers = [
    readConnectResponse,
    (packet: Buffer) => {
      const { record } = readReply(packet);
      return readWatchEvent(record);
    },
  ];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.constantFrom(...readers), (bytes, read) => {
      try {
        read(Buffer.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
    }),
  );
});
