/**
 * Reads lists of users and tokens: a user per line as `NAME:SECRET`, below a line `[viewer]` or `[operator]`. Users
 * before the first such line are operators. A user may have several lines, so that both the old and the new password
 * are accepted while it changes. Lines that begin with `#` are comments.
 */

import { UsageError } from '../../errors/mesosup-error.ts';
import { type Account, ROLES, type Role } from '../api/access-rules.ts';
import { looksHashed, parseHash } from '../api/scrypt-hash.ts';

const TOKEN = /^[A-Za-z0-9._~+/-]{16,}=*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: names are written to the log and sent in headers
const NAME = /^[^:\u0000-\u001f\u007f]{1,100}$/;

interface Line {
  readonly role: Role;
  /** Undefined for a line without a colon. */
  readonly name: string | undefined;
  readonly secret: string;
  /** Line and file, for errors, which never repeat a secret. */
  readonly where: string;
}

/**
 * Reads users with passwords, or with hashes of them.
 * @throws UsageError
 */
export function parseUsers(flag: string, file: string, text: string): Account[] {
  const accounts = linesOf(flag, file, text).map(({ role, name, secret, where }): Account => {
    if (name === undefined) throw new UsageError(`${where} must be NAME:PASSWORD, [viewer] or [operator]`);
    if (secret === '') throw new UsageError(`${where} has an empty password`);
    const user = { name, role };
    if (!looksHashed(secret)) return { user, secret: { kind: 'password', text: secret } };
    const hash = parseHash(secret);
    if (hash) return { user, secret: { kind: 'hash', hash } };
    throw new UsageError(
      `${where} has an unknown hash: expected $scrypt$ln=…,r=…,p=…$SALT$KEY, as "mesosup scheduler password" prints it`,
    );
  });
  if (accounts.length === 0) throw new UsageError(`--${flag}: ${file} contains no user`);
  return accounts;
}

/**
 * Reads tokens. A token without a name is called `token-` and its number in the file.
 * @throws UsageError
 */
export function parseTokens(flag: string, file: string, text: string): Account[] {
  const roles = new Map<string, Role>();
  const accounts = linesOf(flag, file, text).map(({ role, name, secret }, i): Account => {
    const token = secret.trim();
    if (TOKEN.test(token)) {
      const other = roles.get(token);
      if (other !== undefined && other !== role) {
        throw new UsageError(`--${flag}: token ${i + 1} of ${file} is there already with the role ${other}`);
      }
      roles.set(token, role);
      return { user: { name: name ?? `token-${i + 1}`, role }, secret: { kind: 'token', text: token } };
    }
    throw new UsageError(
      `--${flag}: token ${i + 1} of ${file} must have at least 16 letters, digits or ._~+/-`,
    );
  });
  if (accounts.length === 0) throw new UsageError(`--${flag}: ${file} contains no token`);
  return accounts;
}

function linesOf(flag: string, file: string, text: string): Line[] {
  let role: Role = 'operator';
  const lines: Line[] = [];
  const names = new Map<string, Role>();
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const where = `--${flag}: line ${i + 1} of ${file}`;
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const section = /^\[(.*)\]$/.exec(trimmed)?.[1];
    if (section !== undefined) {
      const known = ROLES.find((one) => one === section.trim());
      if (!known) throw new UsageError(`${where} names an unknown role: expected [${ROLES.join('] or [')}]`);
      role = known;
      continue;
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? undefined : line.slice(0, colon).trim();
    if (name !== undefined) {
      if (!NAME.test(name)) throw new UsageError(`${where} has an invalid name before the colon`);
      const other = names.get(name);
      if (other !== undefined && other !== role)
        throw new UsageError(`${where} names a user that is there already with the role ${other}`);
      names.set(name, role);
    }
    lines.push({ role, name, secret: line.slice(colon + 1), where });
  }
  return lines;
}
