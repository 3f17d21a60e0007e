/** Builds the Debian package `mesosup`: the payload in /usr/lib/mesosup, and links in PATH and /usr/share. */

import { chmod, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { $ } from 'zx';
import type { PayloadArchive } from '../../src/install/edge/payload.ts';
import { MTIME } from '../../src/install/edge/tar.ts';
import { RELEASED } from '../../src/install/script/places.ts';

/** Not /opt/mesosup, which the installer manages. postrm.sh has the same path. */
const PLACE = 'usr/lib/mesosup';
/** The packages of the libraries that the runtime is linked with. */
const DEPENDS = 'libatomic1, libc6 (>= 2.28), libgcc-s1, libstdc++6';

/**
 * @param tree the unpacked payload
 * @returns the file name
 */
export async function debianPackage(
  archive: PayloadArchive,
  tree: string,
  maintainer: string,
  directory: string,
): Promise<string> {
  const root = `${tree}.deb`;
  await rm(root, { recursive: true, force: true });
  const place = path.join(root, PLACE);
  await mkdir(path.dirname(place), { recursive: true });
  await cp(tree, place, { recursive: true });
  const { sha256, bytes, version, arch } = archive;
  await writeFile(path.join(place, RELEASED), `${JSON.stringify({ sha256, bytes })}\n`);
  await mkdir(path.join(root, 'usr/bin'));
  await symlink('../lib/mesosup/bin/mesosup', path.join(root, 'usr/bin/mesosup'));
  if ((await readdir(tree)).includes('share'))
    await cp(path.join(tree, 'share'), path.join(root, 'usr/share'), { recursive: true });
  await mkdir(path.join(root, 'usr/share/doc/mesosup'), { recursive: true });
  await cp(path.join(tree, 'LICENSES'), path.join(root, 'usr/share/doc/mesosup/copyright'));
  await $({ quiet: true })`chmod -R u=rwX,go=rX ${root}`;
  await mkdir(path.join(root, 'DEBIAN'));
  const { stdout } = await $({ quiet: true })`du -sk --apparent-size ${place}`;
  const { description } = JSON.parse(await readFile(path.join(tree, 'package.json'), 'utf8'));
  const control = [
    'Package: mesosup',
    `Version: ${version.replaceAll('-', '~')}`,
    `Architecture: ${arch}`,
    `Maintainer: ${maintainer}`,
    `Installed-Size: ${Number.parseInt(stdout, 10)}`,
    `Depends: ${DEPENDS}`,
    'Recommends: ca-certificates',
    'Section: admin',
    'Priority: optional',
    'Description: installs and runs Docker on Mesos',
    ` ${description}`,
    '',
  ];
  await writeFile(path.join(root, 'DEBIAN/control'), control.join('\n'));
  await cp(path.join(import.meta.dirname, 'postrm.sh'), path.join(root, 'DEBIAN/postrm'));
  await chmod(path.join(root, 'DEBIAN/postrm'), 0o755);
  const name = `mesosup_${version.replaceAll('-', '~')}_${arch}.deb`;
  // Every dpkg supports gzip. A fixed time makes the package reproducible.
  const pack = $({ quiet: true, env: { ...process.env, SOURCE_DATE_EPOCH: String(MTIME) } });
  await pack`dpkg-deb --root-owner-group -Zgzip -z6 -b ${root} ${path.join(directory, name)}`;
  await rm(root, { recursive: true });
  return name;
}
