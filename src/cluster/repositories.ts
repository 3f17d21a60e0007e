/** Where packages come from unless the spec says otherwise: the projects' own apt repositories. */

import type { AptRepository } from './cluster.ts';

/** ClusterD, the maintained Mesos. Its key's fingerprint isn't published, so it isn't pinned. */
export const CLUSTERD: AptRepository = {
  debian: 'http://rpm.aventer.biz/Debian/ {codename} main',
  ubuntu: 'http://rpm.aventer.biz/Ubuntu/{codename} {codename} main',
  key: { url: 'https://www.aventer.biz/assets/support_aventer.asc' },
};

/** The packages Mesosphere made up to Mesos 1.7 or so; much of the host answers 404 by now. */
export const MESOSPHERE: AptRepository = {
  debian: 'http://repos.mesosphere.com/debian {codename} main',
  ubuntu: 'http://repos.mesosphere.com/ubuntu {codename} main',
  key: {
    url: 'https://keyserver.ubuntu.com/pks/lookup?op=get&search=0x81026D0004C44CF7EF55ADF8DF7D54CBE56151BF',
  },
  fingerprint: '81026D0004C44CF7EF55ADF8DF7D54CBE56151BF',
};

/** docker-ce, as docs.docker.com says to set it up. */
export const DOCKER_CE: AptRepository = {
  debian: 'https://download.docker.com/linux/debian {codename} stable',
  ubuntu: 'https://download.docker.com/linux/ubuntu {codename} stable',
  key: { url: 'https://download.docker.com/linux/debian/gpg' },
  fingerprint: '9DC858229FC7DD38854AE2D88D81803C0EBFCD88',
};
