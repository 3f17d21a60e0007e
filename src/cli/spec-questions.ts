/** The questions of `mesosup init`. A flag answers its question in advance. */

import { HOST_NAME, parseHostAddress } from '../cluster/host-address.ts';
import { UsageError } from '../errors/mesosup-error.ts';
import { splitNames } from './flags/cluster-flags.ts';
import { keyFile } from './flags/key-file.ts';

/** Answers as typed. */
export interface Answers {
  name?: string;
  hosts?: string[];
  masters?: string[];
  agents?: string[];
  user?: string;
  key?: string;
  bastion?: string;
  mesos?: string;
  mesosVersion?: string;
  mesosPackage?: string;
  mesosSha256?: string;
  docker?: string;
}

const hasMoreHosts = (answers: Partial<Answers>, than: number) => (answers.hosts?.length ?? 0) > than;
const isRemote = (answers: Partial<Answers>) => hasMoreHosts(answers, 0);

/**
 * Asks the questions without a flag. Returns all answers except empty ones.
 * @param directory of the cluster file, to which paths in it are relative
 */
export async function askForSpec(fromFlags: Answers, local: boolean, directory: string): Promise<Answers> {
  const { default: inquirer } = await import('inquirer');
  const known = Object.fromEntries(Object.entries(fromFlags).filter(([, value]) => value !== undefined));
  const names = (answers: Partial<Answers>) => answers.hosts ?? [];
  const answers: Answers = await inquirer.prompt(
    [
      { type: 'input', name: 'name', message: 'Name of the cluster', default: 'mesosup' },
      {
        type: 'input',
        name: 'hosts',
        message: 'Hosts, separated by blanks or commas (as host or user@host:port)',
        when: !local,
        filter: splitNames,
        validate: checkHosts,
      },
      {
        type: 'checkbox',
        name: 'masters',
        message: 'Masters (with ZooKeeper and a scheduler): one, three or five',
        when: (a: Partial<Answers>) => hasMoreHosts(a, 2),
        choices: (a: Partial<Answers>) => names(a).map((value, i) => ({ value, checked: i < 3 })),
        validate: (chosen: readonly unknown[]) =>
          chosen.length % 2 === 1 || 'Choose an odd number of masters',
      },
      {
        type: 'checkbox',
        name: 'agents',
        message: 'Agents (hosts that run containers)',
        when: (a: Partial<Answers>) => hasMoreHosts(a, 1),
        choices: (a: Partial<Answers>) => names(a).map((value) => ({ value, checked: true })),
        validate: (chosen: readonly unknown[]) => chosen.length > 0 || 'Choose at least one agent',
      },
      {
        type: 'input',
        name: 'user',
        message: "SSH user (empty: from OpenSSH's configuration)",
        when: isRemote,
      },
      {
        type: 'input',
        name: 'key',
        message: "SSH key file (empty: OpenSSH's default keys and agent)",
        when: isRemote,
        validate: (typed: string) => checkKey(typed, directory),
      },
      { type: 'input', name: 'bastion', message: 'Jump host (empty: none)', when: isRemote },
      {
        type: 'select',
        name: 'mesos',
        message: 'Mesos',
        choices: [
          {
            value: 'clusterd',
            name: 'ClusterD, the maintained Mesos (Debian 11 and 12, Ubuntu 22.04 and 24.04)',
          },
          { value: 'mesosphere', name: "Mesosphere's legacy packages (Ubuntu 14.04 to 18.04)" },
          { value: 'package', name: 'a single Debian package' },
          { value: 'preinstalled', name: 'already installed' },
        ],
      },
      {
        type: 'input',
        name: 'mesosVersion',
        message: 'Version of Mesos (empty: the latest)',
        when: (a: Partial<Answers>) => a.mesos === 'clusterd' || a.mesos === 'mesosphere',
      },
      {
        type: 'input',
        name: 'mesosPackage',
        message: 'URL or path of the package',
        when: (a: Partial<Answers>) => a.mesos === 'package',
      },
      {
        type: 'input',
        name: 'mesosSha256',
        message: 'SHA-256 of the package',
        when: (a: Partial<Answers>) => a.mesos === 'package',
      },
      {
        type: 'select',
        name: 'docker',
        message: 'Docker',
        choices: [
          { value: 'distribution', name: "the distribution's docker.io" },
          { value: 'docker-ce', name: "Docker's own packages" },
          { value: 'preinstalled', name: 'already installed' },
        ],
      },
    ],
    known,
  );
  return Object.fromEntries(
    Object.entries(answers).filter(([, value]) => value !== '' && value !== undefined),
  );
}

async function checkKey(typed: string, directory: string): Promise<string | true> {
  try {
    if (typed !== '') await keyFile(typed, directory);
    return true;
  } catch (error) {
    if (error instanceof UsageError) return 'There is no such file, or you may not read it';
    throw error;
  }
}

function checkHosts(typed: string | readonly string[]): string | true {
  const hosts = typeof typed === 'string' ? splitNames(typed) : typed;
  const bad = hosts.filter((host) => !parseHostAddress(host) && !HOST_NAME.test(host));
  if (bad.length > 0) return `Not a host name: ${bad.join(', ')}`;
  return hosts.length > 0 || 'Enter at least one host';
}
