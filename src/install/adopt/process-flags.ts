/** Reads the flags of a running master or agent from its environment and its command line, which overrides it. */

import { explainMissingFlag } from '../mesos-flag-names.ts';
import type { AdoptedProcess } from './adopted-host.ts';

/** Deprecated names of flags that mesosup sets. Source: flags.cpp of master and agent. */
const ALIASES: Readonly<Record<string, string>> = {
  authenticate: 'authenticate_frameworks',
  authenticate_http: 'authenticate_http_readwrite',
  authenticate_slaves: 'authenticate_agents',
  executor_secret_key: 'jwt_secret_key',
  slave_ping_timeout: 'agent_ping_timeout',
};

/** By name, in the form of a spec: an empty value is a switch, `no-x` turns x off. Without unknown variables. */
export function processFlags({ role, words, environment }: AdoptedProcess): Map<string, string> {
  const flags = new Map<string, string>();
  const set = (name: string, value: string | undefined) => {
    const off = name.startsWith('no-') ? value !== 'false' : value === 'false';
    const plain = name.replace(/^no-/, '');
    const known = ALIASES[plain] ?? plain;
    flags.delete(known);
    flags.delete(`no-${known}`);
    if (off) flags.set(`no-${known}`, '');
    else flags.set(known, value === 'true' || value === undefined ? '' : value);
  };
  for (const [variable, value] of Object.entries(environment)) {
    const name = /^MESOS_([A-Z0-9_]+)$/.exec(variable)?.[1]?.toLowerCase();
    if (name !== undefined && explainMissingFlag(role, name, undefined) === undefined) set(name, value);
  }
  for (const word of words) {
    const [, name, value] = /^--([a-z0-9_-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name !== undefined) set(name, value);
  }
  return flags;
}

/** Returns the value of a flag, or the text of the file that it names. */
export function flagText({ files }: AdoptedProcess, value: string): string | undefined {
  const path = /^(?:file:\/\/)?(\/.*)$/.exec(value)?.[1];
  return path === undefined ? value : files[path]?.trim();
}

/** Returns the file and line that set a flag or variable: `/etc/default/mesos:3`; or else the unit. */
export function placeOf(process: AdoptedProcess, name: string): string {
  const flag = name.replace(/^no-/, '');
  const quoted = flag.replaceAll(/[^A-Za-z0-9_]/g, '.');
  const line = new RegExp(`(--(no-)?${quoted}\\b|\\b(MESOS_)?${quoted}=)`, 'i');
  for (const [path, text] of Object.entries(process.sources)) {
    const file = path.slice(path.lastIndexOf('/') + 1).replace(/^\?(no-)?/, '');
    if (file === flag) return path;
    const index = text.split('\n').findIndex((one) => line.test(one) && !/^\s*[#;]/.test(one));
    if (index >= 0) return `${path}:${index + 1}`;
  }
  return process.unit || 'the command line';
}
