/** Parses the values of a host's settings and replaces the tokens in them (pure). */

import { badConfig, type Setting, type Settings } from './config-lines.ts';

/** The user whose configuration is read. */
export interface Person {
  readonly user: string;
  readonly home: string;
  readonly uid: number;
  /** This machine's name, for the tokens `%l` and `%L`. */
  readonly hostname: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The settings of a host, with typed access. */
export class HostSettings {
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
    throw badConfig(this.host, setting, `${keyword} must be yes or no, not "${value}"`);
  }

  number(keyword: string, min: number, max: number): number | undefined {
    const setting = this.setting(keyword);
    if (!setting) return undefined;
    const value = Number(word(setting));
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw badConfig(
      this.host,
      setting,
      `${keyword} must be a number from ${min} to ${max}, not "${word(setting)}"`,
    );
  }
}

/** The first word of the value. */
export function word(setting: Setting): string {
  return setting.words[0] ?? '';
}

export type Tokens = Readonly<Record<string, string>>;

/** The tokens of ssh_config(5), TOKENS, without those for certificates and tunnels. */
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

/** @throws HostError 'configuration' for an unsupported token */
export function expandTokens(host: string, setting: Setting, text: string, tokens: Tokens): string {
  return text.replaceAll(/%(.?)/g, (token, letter: string) => {
    const value = tokens[letter];
    if (value === undefined)
      throw badConfig(host, setting, `mesosup does not support the token "${token}": ${text}`);
    return value;
  });
}

/** Replaces a leading `~` with the home directory. */
export function expandHome(person: Person, file: string): string {
  return file.replace(/^~(?=\/|$)/, person.home);
}
