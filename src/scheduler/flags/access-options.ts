/** Reads who may use the API. */

import { UsageError } from '../../errors/mesosup-error.ts';
import type { Access, Account } from '../api/access-rules.ts';
import { splitList } from './flag-table.ts';
import type { Flags } from './parse-flags.ts';
import { secretFrom } from './secret-file.ts';
import { parseTokens, parseUsers } from './users.ts';

/** @throws UsageError */
export function accessFrom(flags: Flags): Access {
  const file = flags.text('http_credentials_file');
  const credentials = flags.secret('http_credentials');
  if (file === undefined && credentials !== undefined && !credentials.includes(':')) {
    throw new UsageError('MARATHON_HTTP_CREDENTIALS must be USER:PASSWORD');
  }
  const usersFile = flags.text('http_users_file');
  const tokensFile = flags.text('http_tokens_file');
  const origins = flags.text('access_control_allow_origin');
  const own =
    file !== undefined
      ? usersInCredentials(file)
      : credentials === undefined
        ? []
        : [operatorFrom(credentials)];
  const users =
    usersFile === undefined
      ? []
      : parseUsers('http_users_file', usersFile, secretFrom('http_users_file', usersFile));
  const tokens =
    tokensFile === undefined
      ? []
      : parseTokens('http_tokens_file', tokensFile, secretFrom('http_tokens_file', tokensFile));
  const first = new Set(own.map(({ user }) => user.name));
  const [twice] = users.filter(({ user }) => first.has(user.name));
  if (twice) {
    throw new UsageError(
      `--http_users_file: ${usersFile} contains ${twice.user.name}, who is in --http_credentials_file already`,
    );
  }
  const accounts = [...own, ...users, ...tokens];
  return {
    ...(accounts.length > 0 && { accounts }),
    ...(origins !== undefined && { allowedOrigins: splitList(origins) }),
  };
}

/** @param credentials USER:PASSWORD; the password may contain anything */
function operatorFrom(credentials: string): Account {
  const colon = credentials.indexOf(':');
  return {
    user: { name: credentials.slice(0, colon), role: 'operator' },
    secret: { kind: 'password', text: credentials.slice(colon + 1) },
  };
}

/** The operator in the first line, and the users in the others. The installer writes viewers for its own programs there. */
function usersInCredentials(file: string): Account[] {
  const [first = '', ...others] = secretFrom('http_credentials_file', file).split(/\r?\n/);
  const isList = others.length > 0;
  if (!first.includes(':') || (isList && first.startsWith('#'))) {
    throw new UsageError(
      `--http_credentials_file: ${file} must contain USER:PASSWORD${isList ? ' in its first line' : ''}`,
    );
  }
  const operator = operatorFrom(first);
  if (others.every((line) => line.trim() === '')) return [operator];
  // The empty line keeps the numbers of lines in errors.
  const further = parseUsers('http_credentials_file', file, ['', ...others].join('\n'));
  const { name, role } = operator.user;
  const other = further.find(({ user }) => user.name === name && user.role !== role);
  if (other) throw new UsageError(`--http_credentials_file: ${file} contains ${name} with two roles`);
  return [operator, ...further];
}
