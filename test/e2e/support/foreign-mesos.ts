/** Sets up Mesos on lab hosts by hand, without mesosup, in the three ways in which people do. */

import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { LabHost } from '../../lab/host.ts';
import type { Lab } from '../../lab/lab.ts';

export const PASSWORDS = {
  framework: 'foreign-framework-secret',
  agent: 'foreign-agent-secret',
  operator: 'foreign-ops-secret',
  zookeeper: 'foreign-zk-secret',
} as const;

/** A ZooKeeper of its owner, with a unit, data and a port of its own. */
export async function startZooKeeper(host: LabHost, port = 2181): Promise<void> {
  await host.run(
    `set -e
    mkdir -p /etc/zk /srv/zk && chown zookeeper: /srv/zk
    printf 'dataDir=/srv/zk\\nclientPort=${port}\\nadmin.enableServer=false\\n4lw.commands.whitelist=*\\n' >/etc/zk/zoo.cfg
    cat >/etc/systemd/system/zk.service
    systemctl daemon-reload && systemctl enable --now zk
    until echo ruok | timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/${port}; cat >&3; cat <&3' | grep -q imok; do sleep 0.2; done`,
    {
      input: `[Service]
User=zookeeper
ExecStart=/usr/share/zookeeper/bin/zkServer.sh start-foreground /etc/zk/zoo.cfg
SuccessExitStatus=143
[Install]
WantedBy=multi-user.target
`,
    },
  );
}

/** Writes files of root, with mode 0600 below /etc/mesos-secrets. */
async function put(host: LabHost, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const mode = name.startsWith('/etc/mesos-secrets/') ? '0600' : '0644';
    await host.run(`install -D -m ${mode} /dev/stdin '${name}'`, { input: text });
  }
}

/** ClusterD's package, with flags and variables in its files, authentication, and a password for ZooKeeper. */
export async function setUpClusterd(lab: Lab, host: LabHost, master: LabHost): Promise<void> {
  // A real package has more dependencies.
  await host.run('cat >/tmp/mesos.deb && apt-get update -qq && apt-get install -y -qq /tmp/mesos.deb', {
    input: createReadStream(lab.mesos().file),
  });
  const zk = `zk://owner:${PASSWORDS.zookeeper}@${master.address}:2181/prod/mesos`;
  const both = { ip: host.address, hostname: host.name };
  const flags = (role: string, values: Record<string, string>) =>
    Object.fromEntries(
      Object.entries({ ...both, ...values }).map(([name, value]) => [
        `/etc/mesos-${role}/${name}`,
        value === '' ? '' : `${value}\n`,
      ]),
    );
  if (host === master) {
    await put(host, {
      '/etc/mesos-secrets/master': JSON.stringify({
        credentials: [
          { principal: 'marathon', secret: PASSWORDS.framework },
          { principal: 'nodes', secret: PASSWORDS.agent },
          { principal: 'ops', secret: PASSWORDS.operator },
        ],
      }),
      '/etc/default/mesos-master': `ZK='${zk}'\nMESOS_WORK_DIR=/srv/mesos/master\n`,
      ...flags('master', {
        quorum: '1',
        cluster: 'prod',
        credentials: '/etc/mesos-secrets/master',
        http_framework_authenticators: 'basic',
        max_completed_frameworks: '7',
        '?authenticate_agents': '',
        '?authenticate_http_frameworks': '',
        '?authenticate_http_readonly': '',
      }),
    });
    await host.run('mkdir -p /srv/mesos/master && systemctl enable --now mesos-master');
  }
  await put(host, {
    '/etc/mesos-secrets/zk': zk,
    '/etc/mesos-secrets/agent': JSON.stringify({ principal: 'nodes', secret: PASSWORDS.agent }),
    '/etc/mesos-secrets/agent-http': JSON.stringify({
      credentials: [{ principal: 'ops', secret: PASSWORDS.operator }],
    }),
    '/etc/default/mesos-agent': 'MASTER=file:///etc/mesos-secrets/zk\n',
    ...flags('agent', {
      work_dir: '/srv/mesos/agent',
      credential: '/etc/mesos-secrets/agent',
      http_credentials: '/etc/mesos-secrets/agent-http',
      '?authenticate_http_readonly': '',
      launcher: 'posix',
      '?no-systemd_enable_support': '',
      'attributes/rack': host.name,
      'resources/cpus': '2',
      'resources/mem': '512',
    }),
  });
  await host.run('mkdir -p /srv/mesos/agent && systemctl enable --now mesos-agent');
}

/** The binaries of the lab's Mesos in /usr/sbin, without a package. */
async function installBinaries(lab: Lab, host: LabHost, agent: 'agent' | 'slave'): Promise<void> {
  await host.run(
    `set -e
    mkdir -p /tmp/mesos && cat >/tmp/mesos.deb && dpkg-deb -x /tmp/mesos.deb /tmp/mesos
    cp -r /tmp/mesos/usr/libexec/mesos /usr/libexec/
    sed s,/usr/bin/mesos-master,/usr/sbin/mesos-master, /tmp/mesos/usr/bin/mesos-master >/usr/sbin/mesos-master
    sed s,/usr/bin/mesos-agent,/usr/sbin/mesos-${agent}, /tmp/mesos/usr/bin/mesos-agent >/usr/sbin/mesos-${agent}
    chmod 755 /usr/sbin/mesos-*; rm -r /tmp/mesos`,
    { input: createReadStream(lab.mesos().file) },
  );
}

/** As Mesosphere's packages: a wrapper, /etc/mesos/zk, /etc/mesos-slave, and the service mesos-slave. */
export async function setUpLegacy(lab: Lab, host: LabHost): Promise<void> {
  await installBinaries(lab, host, 'slave');
  const wrapper = await readFile(
    path.join(import.meta.dirname, '../../lab/mesos-package/mesos-init-wrapper'),
    'utf8',
  );
  const unit = (role: string) => `[Unit]
Description=Mesos ${role}
[Service]
ExecStart=/usr/bin/mesos-init-wrapper ${role}
KillMode=process
Restart=always
RestartSec=20
[Install]
WantedBy=multi-user.target
`;
  await put(host, {
    '/etc/mesos/zk': `zk://${host.address}:2181/mesos\n`,
    '/etc/default/mesos-master': 'PORT=5050\nZK=$(cat /etc/mesos/zk)\n',
    '/etc/default/mesos-slave': 'MASTER=$(cat /etc/mesos/zk)\n',
    '/etc/mesos-master/ip': `${host.address}\n`,
    '/etc/mesos-master/quorum': '1\n',
    '/etc/mesos-master/work_dir': '/var/lib/mesos\n',
    '/etc/mesos-slave/ip': `${host.address}\n`,
    '/etc/mesos-slave/work_dir': '/var/lib/mesos\n',
    // As a single file.
    '/etc/mesos-slave/attributes': 'rack:legacy;ssd:true\n',
    '/etc/mesos-slave/resources': 'cpus:2;mem:512;ports:[31000-31500]\n',
    '/etc/mesos-slave/?no-systemd_enable_support': '',
    '/lib/systemd/system/mesos-master.service': unit('master'),
    '/lib/systemd/system/mesos-slave.service': unit('slave'),
    '/usr/bin/mesos-init-wrapper': wrapper
      .replaceAll('master | agent)', 'master | slave)')
      .replaceAll('"/usr/bin/mesos-$role"', '"/usr/sbin/mesos-$role"'),
  });
  await host.run(`set -e
    chmod 755 /usr/bin/mesos-init-wrapper; mkdir -p /var/lib/mesos
    systemctl daemon-reload; systemctl enable --now mesos-master mesos-slave`);
}

/** Units of one's own: flags in the command line, in variables of the unit, and in a file of variables. */
export async function setUpOwnUnits(lab: Lab, host: LabHost): Promise<void> {
  await installBinaries(lab, host, 'agent');
  await put(host, {
    '/etc/our-mesos.env': `MESOS_IP=${host.address}\nOUR_VARIABLE=needed\n`,
    '/etc/systemd/system/mesos-master.service': `[Service]
EnvironmentFile=/etc/our-mesos.env
ExecStart=/usr/sbin/mesos-master --zk=zk://${host.address}:2181/mesos --quorum=1 --work_dir=/data/master
[Install]
WantedBy=multi-user.target
`,
    // Without KillMode=process: a stop of this unit ends the executors.
    '/etc/systemd/system/mesos-agent.service': `[Service]
EnvironmentFile=/etc/our-mesos.env
Environment=MESOS_ATTRIBUTES=rack:own "MESOS_RESOURCES=cpus:2;mem:512"
ExecStart=/usr/sbin/mesos-agent --master=zk://${host.address}:2181/mesos --no-systemd_enable_support \\
  --work_dir=/data/agent --launcher=posix
[Install]
WantedBy=multi-user.target
`,
  });
  await host.run(`set -e
    mkdir -p /data/master /data/agent
    systemctl daemon-reload; systemctl enable --now mesos-master mesos-agent`);
}
