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
  const credentials = file === undefined ? flags.secret('http_credentials') : httpCredentialsFrom(file);
  if (credentials !== undefined && !credentials.includes(':')) {
    throw new UsageError('MARATHON_HTTP_CREDENTIALS must be USER:PASSWORD');
  }
  const usersFile = flags.text('http_users_file');
  const tokensFile = flags.text('http_tokens_file');
  const origins = flags.text('access_control_allow_origin');
  const own = credentials === undefined ? [] : [operatorFrom(credentials.split(/\r?\n/, 1)[0] ?? '')];
  const further = file === undefined ? [] : furtherUsers(file, credentials ?? '');
  const users =
    usersFile === undefined
      ? []
      : parseUsers('http_users_file', usersFile, secretFrom('http_users_file', usersFile));
  const tokens =
    tokensFile === undefined
      ? []
      : parseTokens('http_tokens_file', tokensFile, secretFrom('http_tokens_file', tokensFile));
  const first = new Set([...own, ...further].map(({ user }) => user.name));
  const [twice] = users.filter(({ user }) => first.has(user.name));
  if (twice) {
    throw new UsageError(
      `--http_users_file: ${usersFile} contains ${twice.user.name}, who is in --http_credentials_file already`,
    );
  }
  const accounts = [...own, ...further, ...users, ...tokens];
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

/** Users in the lines after the first one. The installer writes viewers for its own programs there. */
function furtherUsers(file: string, text: string): Account[] {
  const lines = text.split(/\r?\n/).slice(1);
  // The empty line keeps the numbers of lines in errors.
  return lines.every((line) => line.trim() === '')
    ? []
    : parseUsers('http_credentials_file', file, ['', ...lines].join('\n'));
}

function httpCredentialsFrom(file: string): string {
  const credentials = secretFrom('http_credentials_file', file);
  if (credentials.includes(':')) return credentials;
  throw new UsageError(`--http_credentials_file: ${file} must contain USER:PASSWORD`);
}
