/** The proxies that the environment names, as for curl: `http_proxy`, `https_proxy` and `no_proxy`, also in capitals. */

import { isIPv4 } from 'node:net';

/** A proxy is never asked for this machine itself. */
const HERE = ['localhost', '127.0.0.0-127.255.255.255', '::1', '[::1]'];

/** @returns the part of the environment that Node's agents read */
export function proxyEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { http_proxy, HTTP_PROXY, https_proxy, HTTPS_PROXY, no_proxy, NO_PROXY } = environment;
  const except = (no_proxy || NO_PROXY || '').split(/[\s,]+/).filter((one) => one !== '');
  return {
    http_proxy: withScheme(http_proxy || HTTP_PROXY),
    https_proxy: withScheme(https_proxy || HTTPS_PROXY),
    no_proxy: [...HERE, ...except.flatMap(exceptionsOf)].join(','),
  };
}

/** Node ignores a proxy without one. */
function withScheme(proxy: string | undefined): string | undefined {
  return !proxy || proxy.includes('://') ? proxy : `http://${proxy}`;
}

/** For curl, a name means its subdomains, too, and there are networks such as 10.0.0.0/8. For Node, there are ranges. */
function exceptionsOf(entry: string): string[] {
  const [address = '', bits = ''] = entry.split('/');
  if (isIPv4(address) && /^\d+$/.test(bits) && Number(bits) <= 32) return [rangeOf(address, Number(bits))];
  if (isIPv4(entry) || entry.includes('*') || !/[a-z]/i.test(entry) || entry.includes(':')) return [entry];
  const name = entry.replace(/^\.+/, '');
  return [name, `*.${name}`];
}

function rangeOf(address: string, bits: number): string {
  const size = 2 ** (32 - bits);
  const given = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const first = given - (given % size);
  return [first, first + size - 1].map(addressOf).join('-');
}

function addressOf(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
