/** A registry with authentication and TLS: Debian's docker-registry, on an address for which Docker demands a certificate. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { freePorts } from '../../support/free-ports.ts';

export const USER = 'builder';
export const PASSWORD = 'correct horse';
/** Of the password, with bcrypt. */
const HASH = '$2b$05$mesosupmesosupmesosuCerIKwUBp5Jn8iC.1kxEKHLBo/AnuRrQC';

interface RegistryOptions {
  /** The certificate has expired. */
  expired?: boolean;
  /** Docker trusts the certificate. */
  trusted?: boolean;
}

export class PrivateRegistry {
  /** The registry's part of an image name. Docker does not demand a certificate of 127.0.0.1. */
  readonly host: string;
  readonly #directory: string;
  readonly #process: ChildProcess;

  private constructor(host: string, directory: string, child: ChildProcess) {
    this.host = host;
    this.#directory = directory;
    this.#process = child;
  }

  static async start({ expired = false, trusted = true }: RegistryOptions = {}): Promise<PrivateRegistry> {
    const directory = await mkdtemp(path.join(tmpdir(), 'mesosup-registry-'));
    const [port = 0] = await freePorts(1);
    const address = ownAddress();
    const host = `${address}:${port}`;
    await makeCertificate(directory, address, expired);
    const file = (name: string) => path.join(directory, name);
    await writeFile(file('users'), `${USER}:${HASH}\n`);
    await writeFile(
      file('config.yml'),
      JSON.stringify({
        version: '0.1',
        storage: { filesystem: { rootdirectory: file('images') } },
        http: { addr: host, tls: { certificate: file('cert.pem'), key: file('key.pem') } },
        auth: { htpasswd: { realm: 'test', path: file('users') } },
      }),
    );
    if (trusted) {
      await mkdir(certificatesOf(host), { recursive: true });
      await writeFile(path.join(certificatesOf(host), 'ca.crt'), await readFile(file('cert.pem')));
    }
    const log = openSync(file('log'), 'a');
    const child = spawn('docker-registry', ['serve', file('config.yml')], { stdio: ['ignore', log, log] });
    closeSync(log);
    const registry = new PrivateRegistry(host, directory, child);
    await registry.#isListening();
    return registry;
  }

  /** Pushes an image of this machine. @returns its name in this registry */
  async push(image: string, name: string): Promise<string> {
    const there = `${this.host}/${name}`;
    const config = path.join(this.#directory, 'client');
    await mkdir(config);
    await writeFile(path.join(config, 'config.json'), this.clientConfig(PASSWORD));
    await execa('docker', ['tag', image, there]);
    await execa('docker', ['--config', config, 'push', '-q', there]);
    await execa('docker', ['rmi', there]);
    return there;
  }

  /** The content of a `config.json` of Docker's client. */
  clientConfig(password: string): string {
    const auth = Buffer.from(`${USER}:${password}`).toString('base64');
    return JSON.stringify({ auths: { [this.host]: { auth } } });
  }

  /** Pulls of an image's tag with valid credentials: the engine begins each with this request. */
  async pulls(name: string): Promise<number> {
    const [repository = '', tag = ''] = name.split(':');
    const log = await readFile(path.join(this.#directory, 'log'), 'utf8');
    const request = `"HEAD /v2/${repository}/manifests/${tag} HTTP/1.1" 200`;
    return log.split('\n').filter((line) => line.includes(request)).length;
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    if (this.#process.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, 'exit');
    await rm(this.#directory, { recursive: true, force: true });
    await rm(certificatesOf(this.host), { recursive: true, force: true });
  }

  async #isListening(): Promise<void> {
    for (;;) {
      const log = await readFile(path.join(this.#directory, 'log'), 'utf8');
      if (log.includes('listening on')) return;
      if (this.#process.exitCode !== null) throw new Error(`docker-registry ended: ${log}`);
      await sleep(50);
    }
  }
}

/** Docker reads this directory at each pull. */
function certificatesOf(host: string): string {
  return path.join('/etc/docker/certs.d', host);
}

function ownAddress(): string {
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  if (!found) throw new Error('this machine has no IPv4 address besides 127.0.0.1');
  return found.address;
}

/** Makes a certificate that signs itself. */
async function makeCertificate(directory: string, address: string, expired: boolean): Promise<void> {
  const openssl = (...words: string[]) => execa('openssl', words, { cwd: directory });
  const names = `subjectAltName = IP:${address}\nbasicConstraints = critical,CA:TRUE\n`;
  const request = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
  await openssl('req', '-new', ...request, '-subj', `/CN=${address}`, '-out', 'request.pem');
  // Only `openssl ca` sets dates in the past in every release.
  await writeFile(
    path.join(directory, 'ca.conf'),
    '[ca]\ndefault_ca = own\n[own]\ndatabase = index\nserial = serial\nnew_certs_dir = .\ndefault_md = sha256\n' +
      `policy = any\nx509_extensions = names\n[any]\ncommonName = supplied\n[names]\n${names}`,
  );
  await writeFile(path.join(directory, 'index'), '');
  await writeFile(path.join(directory, 'serial'), '01\n');
  const year = new Date().getUTCFullYear();
  const [start, end] = expired ? [year - 3, year - 2] : [year - 1, year + 2];
  const dates = ['-startdate', `${start}0101000000Z`, '-enddate', `${end}0101000000Z`];
  const files = ['-in', 'request.pem', '-out', 'cert.pem', '-keyfile', 'key.pem'];
  await openssl('ca', '-config', 'ca.conf', '-batch', '-notext', '-selfsign', ...dates, ...files);
}
