/** The questions of `mesosup init`. What a flag has answered isn't asked. */

import { HOST_NAME, parseHostAddress } from '../cluster/host-address.ts';

/** All as people type it. */
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

const list = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);
const has = (answers: Partial<Answers>, most: number) => (answers.hosts?.length ?? 0) > most;
const remote = (answers: Partial<Answers>) => has(answers, 0);

/** What was given, and what was answered. Empty answers are left out. */
export async function askForSpec(given: Answers, local: boolean): Promise<Answers> {
  const { default: inquirer } = await import('inquirer');
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const names = (answers: Partial<Answers>) => answers.hosts ?? [];
  const answers: Answers = await inquirer.prompt(
    [
      { type: 'input', name: 'name', message: 'Name of the cluster', default: 'mesosup' },
      {
        type: 'input',
        name: 'hosts',
        message: 'Hosts, with commas (user@host:port is understood)',
        when: !local,
        filter: list,
        validate: checkHosts,
      },
      {
        type: 'checkbox',
        name: 'masters',
        message: 'Masters (with ZooKeeper and scheduler): one, three or five',
        when: (a: Partial<Answers>) => has(a, 2),
        choices: (a: Partial<Answers>) => names(a).map((value, i) => ({ value, checked: i < 3 })),
        validate: (chosen: readonly unknown[]) =>
          chosen.length % 2 === 1 || 'An odd number of masters is needed',
      },
      {
        type: 'checkbox',
        name: 'agents',
        message: 'Agents (where containers run)',
        when: (a: Partial<Answers>) => has(a, 1),
        choices: (a: Partial<Answers>) => names(a).map((value) => ({ value, checked: true })),
        validate: (chosen: readonly unknown[]) => chosen.length > 0 || 'At least one agent is needed',
      },
      {
        type: 'input',
        name: 'user',
        message: "SSH user (empty: as OpenSSH's configuration says)",
        when: remote,
      },
      { type: 'input', name: 'key', message: "SSH key's file (empty: as OpenSSH does)", when: remote },
      { type: 'input', name: 'bastion', message: 'Jump host (empty: none)', when: remote },
      {
        type: 'select',
        name: 'mesos',
        message: 'Mesos',
        choices: [
          {
            value: 'clusterd',
            name: 'ClusterD, the maintained Mesos (Debian 11 and 12, Ubuntu 22.04 and 24.04)',
          },
          { value: 'mesosphere', name: 'the old packages of Mesosphere (Ubuntu 14.04 to 18.04)' },
          { value: 'package', name: 'a single Debian package' },
          { value: 'preinstalled', name: 'it is installed already' },
        ],
      },
      {
        type: 'input',
        name: 'mesosVersion',
        message: 'Version of Mesos (empty: the newest)',
        when: (a: Partial<Answers>) => a.mesos === 'clusterd' || a.mesos === 'mesosphere',
      },
      {
        type: 'input',
        name: 'mesosPackage',
        message: 'URL or file of the package',
        when: (a: Partial<Answers>) => a.mesos === 'package',
      },
      {
        type: 'input',
        name: 'mesosSha256',
        message: 'Its SHA-256',
        when: (a: Partial<Answers>) => a.mesos === 'package',
      },
      {
        type: 'select',
        name: 'docker',
        message: 'Docker',
        choices: [
          { value: 'distribution', name: "the distribution's docker.io" },
          { value: 'docker-ce', name: "Docker's own packages" },
          { value: 'preinstalled', name: 'it is installed already' },
        ],
      },
    ],
    known,
  );
  return Object.fromEntries(
    Object.entries(answers).filter(([, value]) => value !== '' && value !== undefined),
  );
}

function checkHosts(typed: string | readonly string[]): string | true {
  const hosts = typeof typed === 'string' ? list(typed) : typed;
  const bad = hosts.filter((host) => !parseHostAddress(host) && !HOST_NAME.test(host));
  if (bad.length > 0) return `Not a host: ${bad.join(', ')}`;
  return hosts.length > 0 || 'At least one host is needed';
}
