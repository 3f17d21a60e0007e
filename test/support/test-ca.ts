/** A certificate authority for tests, with openssl. Its files lie in a directory of the test. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const DAY_MS = 86_400_000;

export interface IssuedFiles {
  readonly cert: string;
  readonly key: string;
}

export interface Issuing {
  /** `DNS:…` and `IP:…`. Default: this machine's loopback names. */
  readonly names?: readonly string[];
  /** From now on, may be negative. Default: -1 and 30. */
  readonly fromDays?: number;
  readonly untilDays?: number;
  /** Overwrites the files of a former certificate of the same name. */
  readonly fileName?: string;
}

export interface TestCa {
  /** The file with its certificate. */
  readonly file: string;
  /** Issues a certificate with its key for a server and a client, with the subject `CN=name`. */
  issue(name: string, issuing?: Issuing): IssuedFiles;
}

/** @param name of the CA, and of its folder below the directory */
export function createTestCa(directory: string, name = 'test-ca'): TestCa {
  const home = join(directory, name);
  mkdirSync(home, { recursive: true });
  const at = (file: string) => join(home, file);
  const openssl = (...args: string[]) => void execFileSync('openssl', args, { cwd: home, stdio: 'pipe' });
  const newKey = (file: string) =>
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-out', file);
  newKey(at('ca-key.pem'));
  openssl(
    'req',
    '-x509',
    '-key',
    at('ca-key.pem'),
    '-days',
    '365',
    '-subj',
    `/CN=${name}`,
    '-out',
    at('ca.pem'),
  );
  writeFileSync(at('index.txt'), '');
  writeFileSync(
    at('openssl.cnf'),
    `[ca]
default_ca = own
[own]
database = ${at('index.txt')}
new_certs_dir = ${home}
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
`,
  );
  return {
    file: at('ca.pem'),
    issue(
      subject,
      { names = ['DNS:localhost', 'IP:127.0.0.1'], fromDays = -1, untilDays = 30, fileName = subject } = {},
    ) {
      const [cert, key, request] = ['.pem', '-key.pem', '.csr'].map((end) =>
        join(directory, `${fileName}${end}`),
      ) as [string, string, string];
      newKey(key);
      const extensions = ['-addext', `subjectAltName=${names.join(',')}`];
      openssl('req', '-new', '-key', key, '-subj', `/CN=${subject}`, ...extensions, '-out', request);
      openssl(
        ...['ca', '-batch', '-notext', '-config', at('openssl.cnf'), '-cert', at('ca.pem')],
        ...['-keyfile', at('ca-key.pem'), '-in', request, '-out', cert],
        ...['-startdate', asn1(fromDays), '-enddate', asn1(untilDays)],
      );
      return { cert, key };
    },
  };
}

function asn1(days: number): string {
  return `${new Date(Date.now() + days * DAY_MS).toISOString().replaceAll(/[-:T]|\.\d+/g, '')}`;
}
