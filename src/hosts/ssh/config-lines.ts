/** Parses the lines of an OpenSSH client configuration and selects the settings of one host (pure). */

import { parse } from 'ssh-config';
import { HostError } from '../host.ts';
import { matchesList } from './patterns.ts';

export interface Place {
  readonly file: string;
  readonly line: number;
}

/** One directive: `keyword` in lower case, the words of its value, and the files of an Include. */
export interface ConfigLine extends Place {
  readonly keyword: string;
  readonly words: readonly string[];
  readonly included?: readonly (readonly ConfigLine[])[];
}

export interface Setting extends Place {
  readonly words: readonly string[];
}

/** The settings of a host by keyword in lower case: the first value, but all of IdentityFile and CertificateFile. */
export interface Settings {
  readonly first: ReadonlyMap<string, Setting>;
  readonly identityFiles: readonly Setting[];
  readonly certificateFiles: readonly Setting[];
  /** `Match` conditions that mesosup does not evaluate and treats as not met. */
  readonly skippedMatches: readonly Setting[];
}

export function badConfig(host: string, place: Place, what: string): HostError {
  const where = `${place.file}, line ${place.line}`;
  return new HostError(host, 'configuration', `${where}: ${what}`, `Correct ${where}.`);
}

/** Parses a file line by line: a directive never spans two lines. @throws HostError 'configuration' */
export function readLines(host: string, file: string, text: string): ConfigLine[] {
  const lines: ConfigLine[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const place = { file, line: index + 1 };
    const trimmed = raw.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    // The value is the unparsed rest of the line, because a shell reads it.
    const command = /^proxycommand[ \t=]+(.*)$/i.exec(trimmed)?.[1];
    if (command) {
      lines.push({ ...place, keyword: 'proxycommand', words: [command] });
      continue;
    }
    const [node] = parseLine(host, place, trimmed);
    if (!node || !('param' in node)) continue;
    const value = node.value;
    const words = typeof value === 'string' ? [value] : value.map(({ val }) => val);
    if (words.every((word) => word === '')) throw badConfig(host, place, `${node.param} has no value`);
    lines.push({ ...place, keyword: node.param.toLowerCase(), words });
  }
  return lines;
}

function parseLine(host: string, place: Place, text: string) {
  try {
    return parse(text);
  } catch {
    const quotes = text.split('"').length % 2 === 0;
    throw badConfig(host, place, quotes ? `a quote is not closed: ${text}` : `a value is missing: ${text}`);
  }
}

/** The values that `Match` and `Host` are compared with. */
export interface MatchSubject {
  readonly host: string;
  readonly user: string | undefined;
  readonly localUser: string;
}

/** Reads the files in order; the first value wins. Reads them twice if there is a `Match final`. */
export function settingsFor(subject: MatchSubject, files: readonly (readonly ConfigLine[])[]): Settings {
  const reading = new Reading(subject);
  for (const file of files) reading.read(file, true);
  if (reading.wantsFinal) {
    reading.final = true;
    for (const file of files) reading.read(file, true);
  }
  return reading;
}

class Reading implements Settings {
  readonly first = new Map<string, Setting>();
  readonly identityFiles: Setting[] = [];
  readonly certificateFiles: Setting[] = [];
  readonly skippedMatches: Setting[] = [];
  final = false;
  wantsFinal = false;
  readonly #subject: MatchSubject;

  constructor(subject: MatchSubject) {
    this.#subject = subject;
  }

  read(lines: readonly ConfigLine[], within: boolean): void {
    let active = within;
    for (const line of lines) {
      if (line.keyword === 'host') active = within && matchesList(line.words, this.#subject.host);
      else if (line.keyword === 'match') active = within && this.#matches(line);
      else if (!active) continue;
      else if (line.keyword === 'include') for (const file of line.included ?? []) this.read(file, true);
      else if (line.keyword === 'identityfile') add(this.identityFiles, line);
      else if (line.keyword === 'certificatefile') add(this.certificateFiles, line);
      else if (!this.first.has(line.keyword) && !this.#hasOtherProxy(line))
        this.first.set(line.keyword, line);
    }
  }

  /** The first of ProxyJump and ProxyCommand wins. After `ProxyJump none`, OpenSSH still accepts a ProxyCommand. */
  #hasOtherProxy({ keyword }: ConfigLine): boolean {
    if (keyword === 'proxyjump') return this.first.has('proxycommand');
    const jump = keyword === 'proxycommand' ? this.first.get('proxyjump') : undefined;
    return jump !== undefined && jump.words.join(' ').toLowerCase() !== 'none';
  }

  #matches(line: ConfigLine): boolean {
    const words = [...line.words];
    let all = true;
    for (let word = words.shift(); word !== undefined; word = words.shift()) {
      const negated = word.startsWith('!');
      const criterion = (negated ? word.slice(1) : word).toLowerCase();
      const met = this.#isMet(line, criterion, words);
      if (met === negated) all = false;
    }
    return all;
  }

  #isMet(line: ConfigLine, criterion: string, words: string[]): boolean {
    if (criterion === 'all') return true;
    if (criterion === 'canonical') return false;
    if (criterion === 'final') {
      this.wantsFinal = true;
      return this.final;
    }
    const value = words.shift();
    if (value === undefined) throw badConfig(this.#subject.host, line, `Match ${criterion} has no value`);
    const patterns = value.split(',');
    const user = this.#subject.user ?? this.first.get('user')?.words[0] ?? this.#subject.localUser;
    switch (criterion) {
      case 'host':
        return matchesList(patterns, this.first.get('hostname')?.words[0] ?? this.#subject.host);
      case 'originalhost':
        return matchesList(patterns, this.#subject.host);
      case 'user':
        return matchesList(patterns, user);
      case 'localuser':
        return matchesList(patterns, this.#subject.localUser);
      case 'exec':
      case 'localnetwork':
      case 'tagged':
      case 'version':
      case 'sessiontype':
      case 'command':
        if (!this.final) this.skippedMatches.push({ ...line, words: [`Match ${criterion}`] });
        return false;
      default:
        throw badConfig(this.#subject.host, line, `Match has no condition "${criterion}"`);
    }
  }
}

function add(files: Setting[], line: ConfigLine): void {
  if (!files.some(({ words }) => words[0] === line.words[0])) files.push(line);
}
