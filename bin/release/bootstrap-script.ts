/** bin/bootstrap.sh as people download it: with the release's own settings put in. */

import { quote } from '../../src/hosts/quote.ts';

export interface ReleaseSettings {
  /** Where the release directory is served: the versions lie beneath it. */
  readonly RELEASE_URL: string;
  readonly RELEASE_VERSION: string;
  /** As in a .pub file of OpenSSH: type and key. */
  readonly RELEASE_KEY: string;
  /** Space that an installation takes while it unpacks, in MB. */
  readonly RELEASE_MB: string;
}

/** @throws Error when the script has no place for one of them */
export function releaseScript(script: string, settings: ReleaseSettings): string {
  return Object.entries(settings).reduce((text, [name, value]) => {
    const place = `\n${name}=''\n`;
    if (text.split(place).length !== 2) throw new Error(`bin/bootstrap.sh has not one line ${name}=''`);
    return text.replace(place, () => `\n${name}=${quote(value)}\n`);
  }, script);
}
