/** Versions of packages that apt has to choose, and package files that mesosup sends to hosts, as a repository. */

export interface PackageFile {
  readonly name: string;
  readonly version: string;
  /** Hex. Names the file in the cache of this machine, and among the files that were sent to a host. */
  readonly sha256: string;
  readonly bytes: number;
  /** Its control fields, as `dpkg-deb -f` prints them. */
  readonly control: string;
}

/** A version that apt has to choose, and the SHA-256 of its file. */
export interface Pin {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

/** Fields that depend on the repository. */
const OF_REPOSITORY = /^(Filename|Size|MD5sum|SHA1|SHA256|SHA512):/i;

/** Returns the index of a flat repository with these files: see repository-format of apt, "Packages". */
export function packagesIndex(files: readonly PackageFile[]): string {
  return files
    .map(({ sha256, bytes, control }) => {
      const lines = control.split('\n').filter((line) => line.trim() !== '' && !OF_REPOSITORY.test(line));
      return [...lines, `Filename: ./${sha256}.deb`, `Size: ${bytes}`, `SHA256: ${sha256}`, ''].join('\n');
    })
    .join('\n');
}

/** Reads the name and the version of control fields; undefined if one is missing. */
export function parseControl(
  control: string,
): { readonly name: string; readonly version: string } | undefined {
  const name = /^Package: *(\S+)$/m.exec(control)?.[1];
  const version = /^Version: *(\S+)$/m.exec(control)?.[1];
  return name === undefined || version === undefined ? undefined : { name, version };
}
