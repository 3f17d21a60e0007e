/** Finds out if a host or a user authenticates with certificates. Only OpenSSH's ssh supports them; ssh2 does not. */

import { access } from 'node:fs/promises';
import { execa } from 'execa';
import { knownKeys } from './host-keys.ts';
import { authorityFor } from './known-hosts.ts';
import type { ConnectionPlan } from './route.ts';

export class Certificates {
  readonly #agents = new Map<string, Promise<boolean>>();

  /** Describes the first certificate or certificate authority on the route to a host; null if there is none. */
  async findOnRoute(plan: ConnectionPlan): Promise<string | null> {
    return (
      (await this.#ofUser(plan)) ??
      (await ofHost(plan)) ??
      (plan.via === null ? null : this.findOnRoute(plan.via))
    );
  }

  async #ofUser({
    certificateFiles,
    identities,
    identitiesOnly,
    agent,
  }: ConnectionPlan): Promise<string | null> {
    const besideIdentities = await Promise.all(
      identities.map(async ({ file }) => ((await exists(`${file}-cert.pub`)) ? `${file}-cert.pub` : null)),
    );
    const file = certificateFiles[0] ?? besideIdentities.find((found) => found !== null);
    if (file !== undefined) return `the certificate ${file}`;
    if (agent === null || identitiesOnly || !(await this.#isHeldBy(agent))) return null;
    return `a certificate in the SSH agent at ${agent}`;
  }

  /** Asks each agent once. */
  #isHeldBy(agent: string): Promise<boolean> {
    const known = this.#agents.get(agent) ?? listsCertificate(agent);
    this.#agents.set(agent, known);
    return known;
  }
}

/** Uses ssh-add of OpenSSH: it is installed where certificates can be used at all. */
async function listsCertificate(agent: string): Promise<boolean> {
  const { stdout } = await execa('ssh-add', ['-L'], {
    env: { SSH_AUTH_SOCK: agent },
    reject: false,
    timeout: 5000,
  });
  return /^\S+-cert-v01@openssh\.com /m.test(stdout ?? '');
}

async function ofHost(plan: ConnectionPlan): Promise<string | null> {
  if (plan.hostKey.pinned !== null) return null;
  const authority = authorityFor(await knownKeys(plan), plan.hostKey.name);
  return authority ? `the certificate authority in ${authority.file}, line ${authority.line}` : null;
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
