/** Default repositories of packages: the projects' own apt repositories. */

import type { AptRepository } from './cluster.ts';

/** ClusterD, the maintained Mesos. Its key's fingerprint isn't published, so it isn't pinned. */
export const CLUSTERD: AptRepository = {
  debian: 'http://rpm.aventer.biz/Debian/ {codename} main',
  ubuntu: 'http://rpm.aventer.biz/Ubuntu/{codename} {codename} main',
  key: { url: 'https://www.aventer.biz/assets/support_aventer.asc' },
};

/** Mesosphere's packages, up to about Mesos 1.7. Much of the server answers 404 by now. */
export const MESOSPHERE: AptRepository = {
  debian: 'http://repos.mesosphere.com/debian {codename} main',
  ubuntu: 'http://repos.mesosphere.com/ubuntu {codename} main',
  key: {
    url: 'https://keyserver.ubuntu.com/pks/lookup?op=get&search=0x81026D0004C44CF7EF55ADF8DF7D54CBE56151BF',
  },
  fingerprint: '81026D0004C44CF7EF55ADF8DF7D54CBE56151BF',
};

/** docker-ce, as described at docs.docker.com. */
export const DOCKER_CE: AptRepository = {
  debian: 'https://download.docker.com/linux/debian {codename} stable',
  ubuntu: 'https://download.docker.com/linux/ubuntu {codename} stable',
  key: { url: 'https://download.docker.com/linux/debian/gpg' },
  fingerprint: '9DC858229FC7DD38854AE2D88D81803C0EBFCD88',
};
