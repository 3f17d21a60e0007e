/** The same desired state as a typical Ansible playbook: one task per subject, lists as loops. */

import { stringify } from 'yaml';
import type { Resource } from '../../../src/install/resources/registry.ts';

type Of<K extends Resource['kind']> = Extract<Resource, { kind: K }>;

/** Builds `host_vars` of a host: the lists of the playbook's loops. Files are copied from `files/HOST/NUMBER`. */
export function hostVars(host: string, resources: readonly Resource[]) {
  const of = <K extends Resource['kind']>(kind: K) => resources.filter((r): r is Of<K> => r.kind === kind);
  const files = of('file').map(({ path, owner, group, mode, aptSource }, i) => ({
    path,
    src: `${host}/${i}`,
    owner,
    group,
    mode,
    source: aptSource === true,
  }));
  return {
    keys: of('apt-key').map(({ path, content }) => ({ path, content: content ?? '' })),
    sources: files.filter((f) => f.source),
    packages: of('package').map((p) => p.name),
    users: of('user').map(({ name, home }) => ({ name, home })),
    directories: of('directory').map(({ path, owner, group, mode }) => ({ path, owner, group, mode })),
    files: files.filter((f) => !f.source),
    links: of('link').map(({ path, target }) => ({ path, target })),
    absent: of('absent').map(({ path }) => path),
    payloads: of('payload').map(({ version }) => version),
    masked: of('service')
      .filter((s) => s.masked === true)
      .map((s) => s.name),
    services: of('service')
      .filter((s) => s.masked !== true)
      .map(({ name, enabled }) => ({ name, enabled })),
  };
}

/** Returns the contents of these files, in order. */
export function fileContents(resources: readonly Resource[], reveal: (text: string) => string): string[] {
  return resources.flatMap((r) => (r.kind === 'file' ? [reveal(r.content)] : []));
}

/** Builds one play for all hosts. @param archive the payload on this machine */
export function playbook(archive: string): string {
  const loop = (list: string) => `{{ ${list} }}`;
  const owned = { owner: '{{ item.owner }}', group: '{{ item.group }}', mode: '{{ item.mode }}' };
  return stringify(
    [
      {
        hosts: 'all',
        gather_facts: false,
        tasks: [
          {
            name: 'keys of repositories',
            copy: { dest: '{{ item.path }}', content: '{{ item.content | b64decode }}', mode: '0644' },
            loop: loop('keys'),
          },
          {
            name: 'repositories',
            copy: { dest: '{{ item.path }}', src: '{{ item.src }}', ...owned },
            loop: loop('sources'),
            register: 'sources_changed',
          },
          { name: 'package lists', apt: { update_cache: true }, when: 'sources_changed is changed' },
          {
            name: 'packages',
            apt: { name: loop('packages'), state: 'present', install_recommends: false, policy_rc_d: 101 },
          },
          {
            name: 'users',
            user: { name: '{{ item.name }}', home: '{{ item.home }}', system: true, create_home: false },
            loop: loop('users'),
          },
          {
            name: 'directories',
            file: { path: '{{ item.path }}', state: 'directory', ...owned },
            loop: loop('directories'),
          },
          {
            name: 'files',
            copy: { dest: '{{ item.path }}', src: '{{ item.src }}', ...owned },
            loop: loop('files'),
          },
          {
            name: "the payload's directory",
            file: { path: '/opt/mesosup/{{ item }}', state: 'directory', mode: '0755' },
            loop: loop('payloads'),
          },
          {
            name: 'payload',
            unarchive: {
              src: archive,
              dest: '/opt/mesosup/{{ item }}',
              creates: '/opt/mesosup/{{ item }}/package.json',
            },
            loop: loop('payloads'),
          },
          {
            name: 'links',
            file: { path: '{{ item.path }}', src: '{{ item.target }}', state: 'link' },
            loop: loop('links'),
          },
          { name: 'stray files', file: { path: '{{ item }}', state: 'absent' }, loop: loop('absent') },
          {
            name: 'roles that the host lacks',
            systemd: { name: '{{ item }}', masked: true, state: 'stopped' },
            loop: loop('masked'),
          },
          {
            name: 'services',
            systemd: { name: '{{ item.name }}', enabled: '{{ item.enabled }}', state: 'started' },
            loop: loop('services'),
          },
        ],
      },
    ],
    { lineWidth: 0 },
  );
}
