/** A host of a lab, controlled through Docker, so that it works without SSH. */

import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { docker } from './docker.ts';
import type { Reach } from './ssh-files.ts';

export interface ExecResult {
  stdout: string;
  stderr: string;
  code: number;
}

export class LabHost {
  readonly name: string;
  /** Its address as seen from this machine, or from its bastion. */
  readonly address: string;
  /** The user who logs in. */
  readonly user: string;
  /** The password for sudo, if sudo asks for one. */
  readonly sudoPassword: string | undefined;
  /** The name of the host to go through. */
  readonly bastion: string | undefined;
  /** The public host key: type and key. */
  readonly hostKey: string;
  readonly container: string;
  readonly network: string;
  readonly #afterBoot: string;

  /** @param afterBoot a script run as root after each boot, for settings that a container's restart undoes */
  constructor(
    reach: Reach,
    place: { container: string; network: string; sudoPassword?: string | undefined; afterBoot: string },
  ) {
    this.name = reach.name;
    this.address = reach.address;
    this.user = reach.user;
    this.hostKey = reach.hostKey;
    this.bastion = reach.jump;
    this.container = place.container;
    this.network = place.network;
    this.sudoPassword = place.sudoPassword;
    this.#afterBoot = place.afterBoot;
  }

  /** Runs a sh script as root; a script that fails is no error. */
  async exec(script: string, options: { input?: string | Readable } = {}): Promise<ExecResult> {
    const { stdout, stderr, exitCode } = await execa(
      'docker',
      ['exec', '-i', this.container, 'sh', '-c', script],
      { reject: false, input: options.input ?? '' },
    );
    return { stdout, stderr, code: exitCode ?? 1 };
  }

  /** Runs a sh script as root. @returns its output. @throws Error with its output when it fails */
  async run(script: string, options: { input?: string | Readable } = {}): Promise<string> {
    const { stdout, stderr, code } = await this.exec(script, options);
    if (code !== 0) throw new Error(`${this.name}: exit ${code} of: ${script}\n${stdout}\n${stderr}`);
    return stdout;
  }

  /** Waits until the boot is over. @throws Error when units failed */
  async booted(): Promise<void> {
    // systemctl can't wait before the manager listens.
    const wait = 'until [ -S /run/systemd/private ]; do sleep 0.05; done; systemctl is-system-running --wait';
    const { stdout, code } = await this.exec(wait);
    if (code !== 0) {
      const failed = await this.exec('systemctl --failed --no-legend');
      throw new Error(`${this.name} did not boot well: ${stdout}\n${failed.stdout}`);
    }
    await this.run(this.#afterBoot);
  }

  /** Shuts down in order. */
  async stop(): Promise<void> {
    await docker('stop', this.container);
  }

  /** The power fails. */
  async kill(): Promise<void> {
    await docker('kill', this.container);
  }

  /** Power comes back, after `stop` or `kill`. */
  async start(): Promise<void> {
    await docker('start', this.container);
    await this.booted();
  }

  async reboot(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Disconnects its network. A bastion keeps the network of the hosts behind it. */
  async disconnect(): Promise<void> {
    await docker('network', 'disconnect', this.network, this.container);
  }

  /** Connects the network again, with the same address. */
  async connect(): Promise<void> {
    await docker(
      'network',
      'connect',
      '--ip',
      this.address,
      '--alias',
      this.name,
      this.network,
      this.container,
    );
    await this.run(this.#afterBoot);
  }
}
