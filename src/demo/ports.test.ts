import fc from 'fast-check';
import { expect, test } from 'vitest';
import { freePort, listeningPorts, portBlocks } from './ports.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 0100007F:13BA 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
   1: 0100007F:D3C2 0100007F:13BA 01 00000000:00000000 00:00000000 00000000     0
   2: 00000000000000000000000001000000:1F90 00000000:0000 0A 00000000:00000000
`;

test('reads only listening sockets', () => {
  expect(listeningPorts(TABLE)).toEqual([5050, 8080]);
  expect(listeningPorts('')).toEqual([]);
});

test('chooses the next free port', () => {
  expect(freePort(5050, new Set())).toBe(5050);
  expect(freePort(5050, new Set([5050, 5051, 5053]))).toBe(5052);
});

test('returns disjoint blocks of 100 ports without a port in use', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.uniqueArray(fc.integer({ min: 30_900, max: 34_000 }), { maxLength: 20 }),
      (agents, used) => {
        const ports = portBlocks(agents, new Set(used)).flatMap(({ begin, end }) =>
          Array.from({ length: end - begin + 1 }, (_, i) => begin + i),
        );
        expect(new Set(ports).size).toBe(agents * 100);
        for (const port of used) expect(ports).not.toContain(port);
      },
    ),
  );
});

test('throws if there are too few free blocks', () => {
  const used = new Set(Array.from({ length: 40_000 }, (_, i) => 31_000 + i));
  expect(() => portBlocks(1, used)).toThrow(/31000 and 61000/);
});
