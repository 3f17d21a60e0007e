/** A healthy cluster of three hosts, as the doctor reads it. */

import type { Examination } from '../../src/install/doctor/examination.ts';
import { dialsOf, examinationRequest } from '../../src/install/doctor/request.ts';
import type { Facts } from '../../src/install/facts.ts';
import { ZOO_CFG } from '../../src/install/topology.ts';
import { bareFacts, clusterOf, fileFacts, hostOf, serviceFacts } from './hosts.ts';

export const cluster = clusterOf(['h1', 'h2', 'h3'].map((name) => hostOf(name)));
const SERVICES = ['zookeeper', 'mesos-master', 'mesos-agent', 'docker', 'mesosup-scheduler'];

const ENSEMBLE = [1, 2, 3].map((id) => `server.${id}=10.0.0.${id}:2888:3888\n`).join('');

/** The facts of a healthy host; h1 leads. */
export function well(name: string): Facts {
  const leads = name === 'h1';
  const facts = bareFacts(`10.0.0.${name.slice(1)}`);
  return {
    ...facts,
    files: { ...facts.files, [ZOO_CFG]: fileFacts(ENSEMBLE) },
    services: Object.fromEntries(SERVICES.map((service) => [service, serviceFacts()])),
    zookeeper: { answers: true, mode: leads ? 'leader' : 'follower', version: '3.8.0' },
    master: {
      answers: true,
      elected: leads,
      recovered: leads,
      version: '1.11.0',
      agentsConnected: leads ? 3 : 0,
      frameworksActive: 1,
      problem: '',
    },
    agent: { ...facts.agent, answers: true, registered: true, id: `S-${name}` },
    scheduler: { ...facts.scheduler, answers: true, leads, leader: '10.0.0.1:8080', subscribed: leads },
    docker: { version: '20.10.24', running: true },
    mesosup: { ...facts.mesosup, cluster: 'prod', current: '1.2.3', payloads: ['1.2.3'], started: true },
  };
}

export const ALL = new Map(cluster.hosts.map(({ name }) => [name, well(name)]));

/** The examination of a healthy host. */
export function seen(name: string): Examination {
  const host = hostOf(name);
  const request = examinationRequest(cluster, host, ALL);
  const space = { type: 'ext4', freeBlocks: 0.5, freeInodes: 0.9, freeInodeCount: 1e6 };
  return {
    dials: dialsOf(cluster, host, ALL).map(({ address, port }) => ({ address, port, result: 'open' })),
    spaces: Object.fromEntries((request?.places ?? []).map((place) => [place, space])),
    names: {},
    knowsItself: true,
    mtu: 1500,
    engine: {
      driver: 'overlay2',
      cgroupDriver: 'systemd',
      liveRestore: true,
      loggingDriver: 'json-file',
      warnings: [],
    },
    orphans: [],
    logs: {},
    guarded: { 5050: 401, 5051: 401, 8080: 401 },
    zookeeper: {
      myid: name.slice(1),
      averageLatency: 0.5,
      outstanding: 0,
      zxid: { epoch: 3, counter: 70_000 },
      // An idle server writes none for a long time.
      snapshots: [1, 400, 900].map((days, term) => ({
        zxid: { epoch: 3 - term, counter: 17 },
        bytes: 5e6,
        at: 1_700_000_000_000 - days * 86_400_000,
      })),
    },
    kernel: [],
    certificates: [],
  };
}
