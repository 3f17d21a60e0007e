/** Inserts the settings of a release into bin/bootstrap.sh. */

import { quote } from '../../src/hosts/quote.ts';

export interface ReleaseSettings {
  /** The URL of the release directory, which contains the versions. */
  readonly RELEASE_URL: string;
  readonly RELEASE_VERSION: string;
  /** Type and key, as in a .pub file of OpenSSH. */
  readonly RELEASE_KEY: string;
  /** Disk space that an installation needs while it unpacks, in MB. */
  readonly RELEASE_MB: string;
}

/** @throws Error if the script lacks the line of a setting */
export function releaseScript(script: string, settings: ReleaseSettings): string {
  return Object.entries(settings).reduce((text, [name, value]) => {
    const place = `\n${name}=''\n`;
    if (text.split(place).length !== 2)
      throw new Error(`bin/bootstrap.sh must have exactly one line ${name}=''`);
    return text.replace(place, () => `\n${name}=${quote(value)}\n`);
  }, script);
}
