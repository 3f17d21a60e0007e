/** Makes newer versions of installed packages available to the apt of hosts: the same files with another version. */

import { execa } from 'execa';
import { quote } from '../../../src/hosts/quote.ts';
import type { LabHost } from '../../lab/host.ts';

/** A repository in a directory of each host. */
const DIRECTORY = '/srv/newer';

/**
 * Makes the packages on the first host, and copies them to the others.
 * @param versions by package: a sed expression for the present version
 * @returns by package: the new version
 */
export async function offerNewer(
  hosts: readonly [LabHost, ...LabHost[]],
  versions: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const [first, ...others] = hosts;
  const lines = Object.entries(versions).map(([name, change]) => `newer ${quote(name)} ${quote(change)}`);
  const printed = await first.run(`set -e
    mkdir -p ${DIRECTORY}/debs
    cd ${DIRECTORY}
    newer() {
      version=$(dpkg-query -W -f '\${Version}' "$1")
      next=$(printf %s "$version" | sed "$2")
      apt-get download -q "$1=$version" >/dev/null 2>&1
      rm -rf tree
      dpkg-deb -R "$1"_*.deb tree
      rm "$1"_*.deb
      sed -i "s/^Version: .*/Version: $next/" tree/DEBIAN/control
      dpkg-deb --root-owner-group -Zgzip -z1 -b tree debs >/dev/null
      rm -rf tree
      echo "$1 $next"
    }
    ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || apt-get update -qq
    ${lines.join('\n    ')}
    : >Packages
    for deb in debs/*.deb; do
      { dpkg-deb -f "$deb"; echo "Filename: ./$deb"; echo "Size: $(stat -c %s "$deb")"
        echo "SHA256: $(sha256sum <"$deb" | cut -d ' ' -f 1)"; echo; } >>Packages
    done`);
  await Promise.all(
    others.map((host) =>
      execa('sh', [
        ...['-c', `docker exec "$1" tar -c -C /srv newer | docker exec -i "$2" tar -x -C /srv`, 'sh'],
        ...[first.container, host.container],
      ]),
    ),
  );
  const list = `echo 'deb [trusted=yes] file:${DIRECTORY} ./' >/etc/apt/sources.list.d/newer.list`;
  await Promise.all(hosts.map((host) => host.run(list)));
  return Object.fromEntries(
    printed
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
}
