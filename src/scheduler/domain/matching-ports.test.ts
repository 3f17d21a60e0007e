import { expect, it } from 'vitest';
import type { DeclaredPort } from './app.ts';
import { matchingPorts } from './matching-ports.ts';

function port(servicePort: number, name?: string): DeclaredPort {
  return { servicePort, hostPort: 0, protocol: 'tcp', name, labels: {} };
}

const [a, b, c] = [port(1001), port(1002), port(1003)];
const [http, admin] = [port(1001, 'http'), port(1002, 'admin')];

it.each<[string, DeclaredPort[], DeclaredPort[], (number | undefined)[]]>([
  ['the same ports', [a, b], [a, b], [0, 1]],
  ['another order', [b, a], [a, b], [1, 0]],
  ['another service port', [port(2001), b], [a, b], [0, 1]],
  [
    'names in another order, with other service ports',
    [port(5, 'admin'), port(6, 'http')],
    [http, admin],
    [1, 0],
  ],
  ['a new port in front', [c, a], [a], [undefined, 0]],
  ['a new port at the end', [a, b], [a], [0, undefined]],
  ['a removed port', [b], [a, b], [1]],
  ['service ports that are not assigned', [port(0), port(0)], [port(0), port(0)], [0, 1]],
])('finds the ports of an earlier version: %s', (_, present, earlier, expected) => {
  expect(matchingPorts(present, earlier)).toEqual(expected);
});
