/** Makes newer versions of a host's installed packages available to its apt: the same files with another version. */

import { quote } from '../../../src/hosts/quote.ts';
import type { LabHost } from '../../lab/host.ts';

/** A repository in a directory of the host. */
const DIRECTORY = '/srv/newer';

/**
 * @param versions by package: a sed expression for the present version
 * @returns by package: the new version
 */
export async function offerNewer(
  host: LabHost,
  versions: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const lines = Object.entries(versions).map(([name, change]) => `newer ${quote(name)} ${quote(change)}`);
  const printed = await host.run(`set -e
    mkdir -p ${DIRECTORY}
    cd ${DIRECTORY}
    newer() {
      version=$(dpkg-query -W -f '\${Version}' "$1")
      next=$(printf %s "$version" | sed "$2")
      apt-get download -q "$1=$version" >/dev/null 2>&1
      rm -rf tree
      dpkg-deb -R "$1"_*.deb tree
      rm "$1"_*.deb
      sed -i "s/^Version: .*/Version: $next/" tree/DEBIAN/control
      mkdir -p debs
      dpkg-deb --root-owner-group -Znone -b tree debs >/dev/null
      rm -rf tree
      echo "$1 $next"
    }
    [ -e /var/lib/apt/lists/lock ] && ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || apt-get update -qq
    ${lines.join('\n    ')}
    : >Packages
    for deb in debs/*.deb; do
      { dpkg-deb -f "$deb"; echo "Filename: ./$deb"; echo "Size: $(stat -c %s "$deb")"
        echo "SHA256: $(sha256sum <"$deb" | cut -d ' ' -f 1)"; echo; } >>Packages
    done
    echo 'deb [trusted=yes] file:${DIRECTORY} ./' >/etc/apt/sources.list.d/newer.list`);
  return Object.fromEntries(
    printed
      .trim()
      .split('\n')
      .map((line) => line.split(' ') as [string, string]),
  );
}
