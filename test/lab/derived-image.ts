/** Images of hosts with preinstalled packages, for tests that do not install them. */

import { createHash } from 'node:crypto';
import { quote } from '../../src/hosts/quote.ts';
import { docker, imageExists } from './docker.ts';
import { type Base, type Ground, startHost } from './start-host.ts';

/** The builder's address among the lab's hosts. */
const LAST = 200;

/**
 * Installs packages on a host of the image and saves it as another image, unless that image exists.
 *
 * @returns the image's name
 */
export async function ensureImageWith(
  ground: Ground,
  base: Base,
  packages: readonly string[],
  say: (step: string) => void,
): Promise<string> {
  const wanted = [...packages].sort();
  const digest = createHash('sha256')
    .update([base.image, ...wanted].join('\n'))
    .digest('hex')
    .slice(0, 12);
  const name = `mesosup-lab/with:${base.image.split(':')[1]}-${digest}`;
  if (await imageExists(name)) return name;
  say(`building an image with ${wanted.join(' ')}`);
  const builder = await startHost(ground, base, { name: `builder-${digest}` }, LAST);
  await builder.run(`set -e; export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends ${wanted.map(quote).join(' ')}
    apt-get clean
    rm -rf /var/lib/apt/lists/*_* /root/.ssh /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
    : >/etc/machine-id`);
  await builder.stop();
  await docker('commit', builder.container, name);
  await docker('rm', '-f', '-v', builder.container);
  return name;
}
