/**
 * How the executor connects to its agent and to the schedulers: a file of this agent says so. It is read again for each
 * connection, so executors that started before their cluster had TLS take part in it without a restart.
 */

import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { isJson, parseJson } from '../json.ts';
import type { Transport } from '../tls/connect.ts';
import { libprocessTls } from '../tls/libprocess.ts';
import { type ClientTls, isTlsMode, TLS_MODES } from '../tls/settings.ts';
import type { Log } from './log.ts';

/** Where the installer puts the settings. */
export const TLS_FILE = '/etc/mesosup/executor-tls.json';

const PLAIN: ClientTls = { mode: 'off' };

/**
 * Reads the settings. If the file is missing, reads the environment variables that Mesos sets for its own executors
 * (`LIBPROCESS_SSL_…`, from the agent's flag `--executor_environment_variables`).
 * @throws Error with the file, the field and what is wrong
 */
export function readServiceTls(file: string, env: Readonly<Record<string, string | undefined>>): ClientTls {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return libprocessTls(env)?.client ?? PLAIN;
  }
  return parseServiceTls(file, text);
}

/** @throws Error with the file, the field and what is wrong */
export function parseServiceTls(file: string, text: string): ClientTls {
  const content = parseJson(text);
  if (!isJson(content)) throw new Error(`${file} must be a JSON object`);
  const { mode, ca, cert, key, ...unknown } = content;
  const [field] = Object.keys(unknown);
  if (field !== undefined) throw new Error(`${file}: the field ${field} is unknown`);
  if (!isTlsMode(mode)) throw new Error(`${file}: mode must be one of ${TLS_MODES.join(', ')}`);
  for (const [name, path] of Object.entries({ ca, cert, key }))
    if (path !== undefined && typeof path !== 'string')
      throw new Error(`${file}: ${name} must be the path of a file`);
  if ((cert === undefined) !== (key === undefined))
    throw new Error(`${file}: a certificate needs its key: set both cert and key`);
  return {
    mode,
    ...(typeof ca === 'string' && { ca }),
    ...(typeof cert === 'string' && { cert }),
    ...(typeof key === 'string' && { key }),
  };
}

/** @param read the settings, for each connection; may throw */
export function serviceTransport(read: () => ClientTls, log: Log): Transport {
  const onProblem = (reason: string) => log({ level: 'warning', msg: 'TLS', reason });
  let last: { readonly settings: string; readonly transport: Promise<Transport> } | undefined;
  const transportFor = (tls: ClientTls): Promise<Transport> => {
    const settings = JSON.stringify(tls);
    if (last?.settings !== settings) {
      // Loaded on demand: the first task on an agent waits for this program.
      const transport = import('../tls/connect.ts').then((tlsModule) =>
        tlsModule.createTransport(tls, { onProblem }),
      );
      last = { settings, transport };
    }
    return last.transport;
  };
  return {
    scheme: 'http',
    createConnection: (options, callback) => {
      let tls: ClientTls;
      try {
        tls = read();
      } catch (error) {
        return void process.nextTick(callback, error as Error, undefined as never);
      }
      if (tls.mode === 'off')
        return connect({ host: options.host ?? 'localhost', port: Number(options.port) });
      void transportFor(tls).then(
        ({ createConnection }) => createConnection(options, callback),
        (error: Error) => callback(error, undefined as never),
      );
      return undefined;
    },
  };
}
