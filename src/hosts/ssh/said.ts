/** The settings that hold for a host, read as what they should be, and the tokens in them (pure). */

import { badConfig, type Setting, type Settings } from './config-lines.ts';

/** Whose configuration it is. */
export interface Person {
  readonly user: string;
  readonly home: string;
  readonly uid: number;
  /** This machine's name, for `%l` and `%L`. */
  readonly hostname: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The settings of a host, read as what they should be. */
export class Said {
  readonly host: string;
  readonly #settings: Settings;

  constructor(host: string, settings: Settings) {
    this.host = host;
    this.#settings = settings;
  }

  setting(keyword: string): Setting | undefined {
    return this.#settings.first.get(keyword);
  }

  word(keyword: string): string | undefined {
    return this.setting(keyword)?.words[0];
  }

  flag(keyword: string): boolean | undefined {
    const setting = this.setting(keyword);
    if (!setting) return undefined;
    const value = word(setting).toLowerCase();
    if (value === 'yes' || value === 'true') return true;
    if (value === 'no' || value === 'false') return false;
    throw badConfig(this.host, setting, `${keyword} can only be yes or no, not "${value}"`);
  }

  number(keyword: string, min: number, max: number): number | undefined {
    const setting = this.setting(keyword);
    if (!setting) return undefined;
    const value = Number(word(setting));
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw badConfig(
      this.host,
      setting,
      `${keyword} has to be a number from ${min} to ${max}, not "${word(setting)}"`,
    );
  }
}

/** The value, where it is one word. */
export function word(setting: Setting): string {
  return setting.words[0] ?? '';
}

export type Tokens = Readonly<Record<string, string>>;

/** ssh_config(5), TOKENS, but for those of certificates and tunnels. */
export function tokensOf(person: Person, host: string, hostname: string, port: number, user: string): Tokens {
  return {
    '%': '%',
    d: person.home,
    h: hostname,
    i: String(person.uid),
    L: person.hostname.split('.')[0] ?? '',
    l: person.hostname,
    n: host,
    p: String(port),
    r: user,
    u: person.user,
  };
}

/** The text with its tokens replaced. @throws HostError 'configuration' for one that is not among them */
export function expand(host: string, setting: Setting, text: string, tokens: Tokens): string {
  return text.replaceAll(/%(.?)/g, (whole, letter: string) => {
    const value = tokens[letter];
    if (value === undefined)
      throw badConfig(host, setting, `"${whole}" is not a token that is understood here: ${text}`);
    return value;
  });
}

/** A path that may begin with `~`. */
export function home(person: Person, file: string): string {
  return file.replace(/^~(?=\/|$)/, person.home);
}
