/** Checks that the host has, or its distribution offers, a haproxy that the load balancer can use. */

import { installedPackage } from '../package-state.ts';
import { compareNumbers } from '../versions.ts';
import { HAPROXY_PACKAGE } from '../wanted/lb.ts';
import { error, type HostCheck } from './check.ts';

const OLDEST_HAPROXY = '2.6';

/** The first releases of the distributions with such a version. */
const SYSTEMS: Readonly<Record<string, string>> = { debian: '12', ubuntu: '24.04' };

export const haproxyCheck: HostCheck = ({ host, own }) => {
  if (!host.roles.includes('lb')) return [];
  const installed = installedPackage(own, HAPROXY_PACKAGE)?.version;
  const { id, version, name } = own.system;
  const oldest = SYSTEMS[id];
  const isNew =
    installed === undefined
      ? oldest === undefined || version === '' || compareNumbers(version, oldest) >= 0
      : compareNumbers(installed, OLDEST_HAPROXY) >= 0;
  if (isNew) return [];
  const found =
    installed === undefined ? `${name || `${id} ${version}`} has an older one` : `it has ${installed}`;
  return [
    error(
      host.name,
      'haproxy',
      `the role lb needs haproxy ${OLDEST_HAPROXY} or later, but ${found}`,
      'Use Debian 12, Ubuntu 24.04 or later, or install a newer package of haproxy on the host first.',
    ),
  ];
};
