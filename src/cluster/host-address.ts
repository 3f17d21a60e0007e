/** The address of a host: `h1`, `admin@h1`, `admin@h1:2222`, `10.0.0.1`, `[2001:db8::1]:2222`. */
export interface HostAddress {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

const FORM = /^(?:(?<user>[^\s@:]+)@)?(?:\[(?<six>[0-9A-Fa-f:.]+)\]|(?<host>[^\s@:[\]]+))(?::(?<port>\d+))?$/;
const BARE_IPV6 = /^(?:(?<user>[^\s@:]+)@)?(?<host>[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/;

/** A name or address without blanks. A leading dash is excluded, since a program would read it as an option. */
export const HOST_NAME = /^[A-Za-z0-9:][A-Za-z0-9._:-]*$/;
export const USER_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.\\-]*$/;

/** Undefined when the text is not an address of a host. */
export function parseHostAddress(text: string): HostAddress | undefined {
  const groups = (FORM.exec(text) ?? BARE_IPV6.exec(text))?.groups;
  if (!groups) return undefined;
  const host = groups.six ?? groups.host ?? '';
  const port = groups.port === undefined ? undefined : Number(groups.port);
  if (!HOST_NAME.test(host)) return undefined;
  if (groups.user !== undefined && !USER_NAME.test(groups.user)) return undefined;
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  return {
    host,
    ...(groups.user !== undefined && { user: groups.user }),
    ...(port !== undefined && { port }),
  };
}
