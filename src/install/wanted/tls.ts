/** The files and settings of TLS: the cluster's certificate authority, and a certificate and a key for each service. */

import type { TlsService } from '../../cluster/certificates.ts';
import { type Secrets, type TlsState, tlsMark } from '../../cluster/secrets.ts';
import type { FileResource } from '../resources/file.ts';
import type { Resource } from '../resources/registry.ts';
import { directory, file, secretFile } from './build.ts';
import type { Context, Part } from './context.ts';

export const TLS_DIRECTORY = '/etc/mesosup/tls';

/** Certificates of the authorities that all services trust. */
export const TLS_CA = `${TLS_DIRECTORY}/ca.pem`;

/** Exists where clients use TLS; templates/host/ask.sh looks for it. */
const IN_USE = `${TLS_DIRECTORY}/in-use`;

/** Undefined without TLS. */
export function tlsState({ secrets }: { readonly secrets: Pick<Secrets, 'tls'> }): TlsState | undefined {
  return secrets.tls?.state;
}

/** Returns whether clients use TLS. */
export function clientsUseTls(context: { readonly secrets: Pick<Secrets, 'tls'> }): boolean {
  const state = tlsState(context);
  return state === 'use' || state === 'require';
}

/** Returns the paths of a service's certificate and key. */
export function tlsPaths(service: TlsService): { readonly certificate: string; readonly key: string } {
  return { certificate: `${TLS_DIRECTORY}/${service}.pem`, key: `${TLS_DIRECTORY}/${service}-key.pem` };
}

/** What every host has, and what clients on it need. */
export function tls(context: Context): Part {
  if (tlsState(context) === undefined) return {};
  return {
    // For requests by mesosup on hosts, which may lack the payload.
    packages: [{ kind: 'package', name: 'openssl' }],
    configuration: [
      directory(TLS_DIRECTORY),
      trusted(),
      ...(clientsUseTls(context) ? [file(IN_USE, '', { note: 'clients on this host use TLS' })] : []),
    ],
  };
}

function trusted(): FileResource {
  return file(TLS_CA, tlsMark('trusted'), { note: 'whose certificates the services of the cluster trust' });
}

/** Returns the files of a service; none without TLS. @param owner the user of the service */
export function tlsFilesOf(
  { host, ...context }: Context,
  service: TlsService,
  owner = 'root',
): FileResource[] {
  if (tlsState(context) === undefined) return [];
  const paths = tlsPaths(service);
  const leaf = `${host.name}/${service}`;
  return [
    file(paths.certificate, tlsMark(`certificate/${leaf}`), { note: `certificate of the ${service}` }),
    secretFile(paths.key, tlsMark(`key/${leaf}`), `key of the ${service}`, owner),
  ];
}

/** Returns what a master or an agent reads at its start. */
export function mesosTlsFiles(context: Context, service: TlsService): Resource[] {
  return tlsState(context) === undefined ? [] : [trusted(), ...tlsFilesOf(context, service)];
}

/**
 * Returns the environment variables of a process of Mesos (3rdparty/libprocess/src/openssl.cpp). With "downgrade" it takes
 * plain text on the same port, and falls back to it.
 */
export function mesosTlsVariables(
  context: { readonly secrets: Pick<Secrets, 'tls'> },
  service: TlsService,
): [name: string, value: string][] {
  const state = tlsState(context);
  if (state === undefined) return [];
  const { certificate, key } = tlsPaths(service);
  const strict = state === 'require';
  return [
    ['LIBPROCESS_SSL_ENABLED', 'true'],
    ['LIBPROCESS_SSL_SUPPORT_DOWNGRADE', String(!strict)],
    ['LIBPROCESS_SSL_CERT_FILE', certificate],
    ['LIBPROCESS_SSL_KEY_FILE', key],
    ['LIBPROCESS_SSL_CA_FILE', TLS_CA],
    ['LIBPROCESS_SSL_VERIFY_SERVER_CERT', 'true'],
    // Members know each other by their addresses, which need not have names in the DNS.
    ['LIBPROCESS_SSL_HOSTNAME_VALIDATION_SCHEME', 'openssl'],
    ['LIBPROCESS_SSL_VERIFY_IPADD', 'true'],
    ['LIBPROCESS_SSL_REQUIRE_CLIENT_CERT', String(strict)],
    // None of the default ones takes a key of ECDSA.
    ['LIBPROCESS_SSL_CIPHERS', 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384'],
  ];
}

/** Returns flags of the scheduler, whose port stays the same. An empty value is a switch. */
export function schedulerTlsFlags(context: Pick<Context, 'cluster' | 'secrets'>): Record<string, string> {
  const state = tlsState(context);
  if (state === undefined) return {};
  const { certificate, key } = tlsPaths('scheduler');
  return {
    https_port: String(context.cluster.ports.scheduler),
    ssl_cert_file: certificate,
    ssl_key_file: key,
    ssl_ca_file: TLS_CA,
    ...(state !== 'offer' && { mesos_ssl: 'required' }),
    ...(state === 'require' && { disable_http: '', ssl_require_service_cert: '' }),
  };
}

/** How executors connect to agents and schedulers (src/executor/service-tls.ts): they read it for each connection. */
export function executorTlsFile(context: Context): FileResource[] {
  if (tlsState(context) === undefined) return [];
  const { certificate: cert, key } = tlsPaths('executor');
  const mode = clientsUseTls(context) ? 'required' : 'off';
  const content = `${JSON.stringify({ mode, ca: TLS_CA, cert, key }, null, 2)}\n`;
  return [file('/etc/mesosup/executor-tls.json', content, { note: 'whether executors use TLS' })];
}

/** Returns flags of the load balancer and of the exporter, by name. */
export function programTlsFlags(
  context: { readonly secrets: Pick<Secrets, 'tls'> },
  service: 'lb' | 'monitoring',
): Record<string, string> {
  const state = tlsState(context);
  if (state === undefined) return {};
  const { certificate, key } = tlsPaths(service);
  const tls = state === 'require' ? 'required' : 'preferred';
  return { tls, 'ca-file': TLS_CA, 'cert-file': certificate, 'key-file': key };
}
