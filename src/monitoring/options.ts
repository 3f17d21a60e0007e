/** The flags of the exporter, for its own program and for `mesosup monitoring serve`. */

import { UsageError } from '../errors/mesosup-error.ts';
import { type ProgramTls, programTls } from '../tls/settings.ts';

interface Flag {
  readonly value: string;
  readonly preset?: string;
  readonly help: string;
}

export const EXPORTER_FLAGS = {
  master: { value: 'URL', help: 'URL of a Mesos master, such as http://10.0.0.1:5050.' },
  agent: { value: 'URL', help: 'URL of a Mesos agent, such as http://10.0.0.1:5051.' },
  'credentials-file': {
    value: 'PATH',
    help: 'File with PRINCIPAL:SECRET for the master and agent, that only its owner can read.',
  },
  'ca-file': {
    value: 'PATH',
    help: 'File with the CA of the master and agent; read again when it changes. Default: the CAs of the system.',
  },
  'cert-file': {
    value: 'PATH',
    help: 'PEM file with the certificate of the exporter, for Mesos and for its own port; read again when it changes.',
  },
  'key-file': { value: 'PATH', help: 'PEM file with the key of the certificate.' },
  tls: {
    value: 'MODE',
    preset: 'off',
    help: 'off, preferred (its port takes TLS and plain text; http:// URLs are tried with TLS first) or required (TLS only).',
  },
  listen: { value: 'HOST:PORT', preset: '127.0.0.1:9103', help: 'Address of /metrics.' },
  'timeout-ms': { value: 'MS', preset: '5000', help: 'Time to wait for an answer from Mesos.' },
  'most-names': {
    value: 'COUNT',
    preset: '500',
    help: 'Maximum number of frameworks, of roles and of containers with metrics of their own.',
  },
} as const satisfies Readonly<Record<string, Flag>>;

export type ExporterFlag = keyof typeof EXPORTER_FLAGS;
export type ExporterValues = Readonly<Partial<Record<ExporterFlag, string | undefined>>>;

export interface ExporterOptions {
  readonly master: string | undefined;
  readonly agent: string | undefined;
  readonly credentialsFile: string | undefined;
  readonly tls: ProgramTls;
  readonly listen: { readonly host: string; readonly port: number };
  readonly timeoutMs: number;
  readonly mostNames: number;
}

/** @throws UsageError that names the flag */
export function readExporterOptions(values: ExporterValues): ExporterOptions {
  const text = (name: ExporterFlag): string =>
    values[name] ?? (EXPORTER_FLAGS as Readonly<Record<ExporterFlag, Flag>>)[name].preset ?? '';
  const number = (name: ExporterFlag, least: number, most: number) => {
    const value = text(name);
    if (/^\d{1,7}$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
    throw new UsageError(`--${name} is '${value}': expected a whole number from ${least} to ${most}`);
  };
  const options = {
    master: urlOf('master', values.master),
    agent: urlOf('agent', values.agent),
    credentialsFile: values['credentials-file'],
    tls: tlsOf(values),
    listen: listenOf(text('listen')),
    timeoutMs: number('timeout-ms', 100, 60_000),
    mostNames: number('most-names', 0, 100_000),
  };
  if (options.master === undefined && options.agent === undefined)
    throw new UsageError('--master and --agent are missing: name at least one of them');
  return options;
}

function tlsOf(values: ExporterValues): ProgramTls {
  const found = programTls({
    tls: values.tls,
    'ca-file': values['ca-file'],
    'cert-file': values['cert-file'],
    'key-file': values['key-file'],
  });
  if ('tls' in found) return found.tls;
  throw new UsageError(found.problem);
}

function urlOf(name: 'master' | 'agent', text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (httpUrl(text, `--${name}`).search === '') return text.replace(/\/+$/, '');
  throw badUrl(text, `--${name}`);
}

/** @param flag for the error. @throws UsageError for a URL with a password, or of another kind */
export function httpUrl(text: string, flag: string): URL {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && url.username + url.password === '') return url;
  throw badUrl(text, flag);
}

function badUrl(text: string, flag: string): UsageError {
  const shown = text.replace(/^(\w+:\/\/)?.*@/s, '$1…@');
  return new UsageError(`${flag} is '${shown}': expected an http:// or https:// URL without a password`);
}

/** Parses `HOST:PORT`, with an IPv6 address in brackets. @returns undefined for another text */
export function parseHostPort(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, v6, plain, digits = ''] = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = v6 ?? plain;
  const port = Number(digits);
  return host !== undefined && port <= 65_535 ? { host, port } : undefined;
}

function listenOf(text: string): { readonly host: string; readonly port: number } {
  const found = parseHostPort(text);
  if (found) return found;
  throw new UsageError(`--listen is '${text}': expected HOST:PORT, such as 127.0.0.1:9103`);
}
