/**
 * A real sshd with its own users, and a person with a home directory who connects to it. Both use a directory that is
 * removed afterwards. The users exist only in the mount namespace of sshd, so the tests use the real sudo without a
 * change of the machine's accounts.
 */

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { Hosts } from '../../../src/hosts/connect.ts';
import type { Host } from '../../../src/hosts/host.ts';
import type { HostsOptions } from '../../../src/hosts/options.ts';
import type { Person } from '../../../src/hosts/ssh/host-settings.ts';
import type { Overrides } from '../../../src/hosts/ssh/route.ts';
import { login } from '../../install/hosts.ts';
import { freePort } from '../../support/free-ports.ts';

/** A password with characters that are special in a shell. */
export const PASSWORD = `it's "a" $(pass) \\word`;

export interface SshdOptions {
  /** Lines of sshd_config that override the usual ones, because they come first. */
  readonly config?: readonly string[];
  /** Types of host keys. Default: ed25519. */
  readonly keys?: readonly string[];
  /** Additional lines of sudoers. */
  readonly sudoers?: readonly string[];
  /** Files that appear as not executable. */
  readonly without?: readonly string[];
  /** Files that are replaced: the replacement's path by the file's path. */
  readonly instead?: Readonly<Record<string, string>>;
  /** Additional users, each with its own home directory. */
  readonly logins?: readonly Login[];
}

/** A user who logs in with a key, and becomes root with PASSWORD. */
export interface Login {
  readonly name: string;
  readonly shell: string;
  readonly isRoot?: boolean;
  /** Files in the home directory. */
  readonly files?: Readonly<Record<string, string>>;
}

/** A directory with keys, a person's home directory, and the sshds started in it. */
export class SshLab {
  readonly dir: string;
  readonly person: Person;
  /** The person's directory with known hosts and configuration. */
  readonly ssh: string;
  readonly notices: string[] = [];
  #count = 0;
  readonly #ends: (() => Promise<unknown>)[] = [];

  private constructor(dir: string) {
    this.dir = dir;
    this.ssh = path.join(dir, 'home/.ssh');
    this.person = { user: 'root', home: path.join(dir, 'home'), uid: 0, hostname: 'desk', env: {} };
  }

  static async make(): Promise<SshLab> {
    const lab = new SshLab(await mkdtemp(path.join(tmpdir(), 'mesosup-ssh-')));
    await chmod(lab.dir, 0o755);
    await mkdir(lab.ssh, { recursive: true, mode: 0o700 });
    await lab.keygen('home/.ssh/id_ed25519');
    await cp(path.join(lab.ssh, 'id_ed25519.pub'), path.join(lab.dir, 'authorized'));
    return lab;
  }

  /** Creates a key pair in the lab's directory. */
  async keygen(name: string, ...args: string[]): Promise<string> {
    const file = path.join(this.dir, name);
    const type = args.includes('-t') ? [] : ['-t', 'ed25519'];
    const phrase = args.includes('-N') ? [] : ['-N', ''];
    await execa('ssh-keygen', ['-q', ...type, ...phrase, '-C', name, '-f', file, ...args]);
    return file;
  }

  async authorize(publicKey: string): Promise<void> {
    const text = await readFile(publicKey, 'utf8');
    await writeFile(path.join(this.dir, 'authorized'), text, { flag: 'a' });
  }

  async start(options: SshdOptions = {}): Promise<Sshd> {
    const own = `sshd${++this.#count}`;
    const dir = path.join(this.dir, own);
    await mkdir(dir);
    const keys = await Promise.all(
      (options.keys ?? ['ed25519']).map((type) => this.keygen(`${own}/host_${type}`, '-t', type)),
    );
    const port = await freePort();
    await writeFile(
      path.join(dir, 'sshd_config'),
      [
        ...(options.config ?? []),
        ...keys.map((key) => `HostKey ${key}`),
        `Port ${port}`,
        'ListenAddress 127.0.0.1',
        'UsePAM no',
        'PidFile none',
        'PasswordAuthentication no',
        'KbdInteractiveAuthentication no',
        `AuthorizedKeysFile ${path.join(this.dir, 'authorized')}`,
        'StrictModes no',
        '',
      ].join('\n'),
    );
    await this.#writeAccounts(dir, options.sudoers ?? [], options.logins ?? []);
    const script = [
      'set -e',
      'mount --make-rprivate /',
      'mount -t tmpfs tmpfs /run',
      'mkdir /run/sshd',
      ...['passwd', 'shadow', 'group', 'sudoers'].map((file) => `mount --bind ${dir}/${file} /etc/${file}`),
      ...(options.without ?? []).map((file) => `mount --bind ${dir}/empty ${file}`),
      ...Object.entries(options.instead ?? {}).map(([file, other]) => `mount --bind ${other} ${file}`),
      `exec /usr/sbin/sshd -D -e -f ${dir}/sshd_config`,
    ].join('\n');
    const sshd = new Sshd(port, keys, script);
    this.#ends.push(() => sshd.stop());
    await sshd.listening;
    return sshd;
  }

  /** `asks` becomes root with PASSWORD, `free` without, `refused` never. All of them log in with keys. */
  async #writeAccounts(dir: string, sudoers: readonly string[], logins: readonly Login[]): Promise<void> {
    const hash = (await execa('openssl', ['passwd', '-6', '-stdin'], { input: PASSWORD })).stdout;
    const usual = ['asks', 'free', 'refused'].map((name) => ({ name, home: dir, shell: '/bin/bash' }));
    const own = logins.map((login) => ({ ...login, home: path.join(dir, login.name) }));
    const users = [...usual, ...own].map((user, i) => ({ ...user, id: 'isRoot' in user ? 0 : 4001 + i }));
    for (const { home, files = {} } of own) {
      await mkdir(home);
      for (const [name, text] of Object.entries(files)) {
        await mkdir(path.dirname(path.join(home, name)), { recursive: true });
        await writeFile(path.join(home, name), text);
      }
    }
    const lines = (own: string, added: string[]) => `${own.trimEnd()}\n${added.join('\n')}\n`;
    const write = async (file: string, added: string[], mode: number) => {
      await writeFile(path.join(dir, file), lines(await readFile(`/etc/${file}`, 'utf8'), added), { mode });
    };
    await write(
      'passwd',
      users.map(({ name, id, home, shell }) => `${name}:x:${id}:${id}::${home}:${shell}`),
      0o644,
    );
    await write(
      'shadow',
      users.map(({ name }) => `${name}:${hash}:19000:0:99999:7:::`),
      0o600,
    );
    await write(
      'group',
      users.map(({ name, id }) => `${name}:x:${id}:`),
      0o644,
    );
    const rules = [
      'Defaults env_reset',
      'free ALL=(ALL) NOPASSWD: ALL',
      ...['asks', ...logins.map(({ name }) => name)].map((name) => `${name} ALL=(ALL) ALL`),
      ...sudoers,
    ];
    await writeFile(path.join(dir, 'sudoers'), lines('', rules), { mode: 0o440 });
    await writeFile(path.join(dir, 'empty'), '', { mode: 0o644 });
  }

  async know(sshd: Sshd, names = `[127.0.0.1]:${sshd.port}`): Promise<void> {
    for (const key of sshd.keys) {
      const [type, text] = (await readFile(`${key}.pub`, 'utf8')).split(' ');
      await writeFile(path.join(this.ssh, 'known_hosts'), `${names} ${type} ${text}\n`, { flag: 'a' });
    }
  }

  hosts(options: HostsOptions = {}): Hosts {
    const hosts = new Hosts(login, {
      person: this.person,
      notice: (_host, text) => this.notices.push(text),
      ...options,
    });
    this.#ends.push(() => hosts.close());
    return hosts;
  }

  /** The host at an address and a port, without other settings. */
  open(sshd: { readonly port: number }, overrides: Overrides = {}, options: HostsOptions = {}): Host {
    return this.hosts(options).open(target(sshd, overrides));
  }

  async remove(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
    await rm(this.dir, { recursive: true });
  }
}

export function target({ port }: { readonly port: number }, overrides: Overrides = {}) {
  return { name: 'box', address: '127.0.0.1', connection: { kind: 'ssh' as const, port, ...overrides } };
}

export class Sshd {
  readonly port: number;
  /** Private host key files. */
  readonly keys: readonly string[];
  readonly log: string[] = [];
  readonly listening: Promise<void>;
  readonly #child: ChildProcessByStdio<null, null, Readable>;

  /** @param script starts sshd in a new mount namespace */
  constructor(port: number, keys: readonly string[], script: string) {
    this.port = port;
    this.keys = keys;
    this.#child = spawn('unshare', ['--mount', 'sh', '-c', script], { stdio: ['ignore', 'ignore', 'pipe'] });
    const lines = createInterface({ input: this.#child.stderr });
    lines.on('line', (line) => this.log.push(line));
    this.listening = new Promise((resolve, reject) => {
      lines.on('line', (line) => line.startsWith('Server listening') && resolve());
      this.#child.once('error', reject);
      this.#child.once('exit', () => reject(new Error(`sshd ended:\n${this.log.join('\n')}`)));
    });
  }

  count(pattern: RegExp): number {
    return this.log.filter((line) => pattern.test(line)).length;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || !this.#child.kill()) return;
    await once(this.#child, 'exit');
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens at no port');
  return address.port;
}

/** A forwarded port whose connections the test can cut. */
export class Wire {
  readonly port: number;
  readonly #close: () => void;
  readonly #sockets: Set<Socket>;
  #left = Number.POSITIVE_INFINITY;

  private constructor(port: number, sockets: Set<Socket>, close: () => void) {
    this.port = port;
    this.#sockets = sockets;
    this.#close = close;
  }

  static async to({ port }: { readonly port: number }): Promise<Wire> {
    const sockets = new Set<Socket>();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const wire = new Wire(portOf(server), sockets, () => server.close());
    server.on('connection', (near) => {
      const far = connect(port, '127.0.0.1');
      for (const socket of [near, far]) sockets.add(socket.on('error', () => {}));
      near.on('data', (chunk) => wire.#passed(chunk.length));
      near.pipe(far).pipe(near);
    });
    return wire;
  }

  /** Resets the connection after this many further bytes to the host. */
  resetAfter(bytes: number): void {
    this.#left = bytes;
  }

  #passed(bytes: number): void {
    this.#left -= bytes;
    if (this.#left > 0) return;
    this.#left = Number.POSITIVE_INFINITY;
    this.reset();
  }

  /** Sends a reset to both sides, like a failing network. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  /** Drops all data in both directions without a reset, like a host that is cut off. */
  freeze(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  close(): void {
    this.reset();
    this.#close();
  }
}
