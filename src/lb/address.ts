/** Addresses in texts. */

export interface HostPort {
  /** A name or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
}

const V4 = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;

/** @returns 4 or 6, or 0 for any other text */
export function ipVersion(text: string): 0 | 4 | 6 {
  if (V4.test(text)) return 4;
  return /^[0-9a-fA-F:.]{2,45}$/.test(text) && URL.canParse(`http://[${text}]`) ? 6 : 0;
}

/** Parses `HOST:PORT`, with brackets around an IPv6 address. @returns undefined for any other text */
export function parseHostPort(text: string): HostPort | undefined {
  const [, inBrackets, plain, digits = ''] = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = inBrackets ?? plain;
  const port = Number(digits);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

/** Formats an IP address with a port as haproxy reads it. */
export function bindText(address: string, port: number): string {
  if (address === '*') return `:${port}`;
  return `${ipVersion(address) === 6 ? `[${address}]` : address}:${port}`;
}
