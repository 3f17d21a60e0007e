/** The schema of a plan in a file. */

import { z } from 'zod';
import { byKind, record, words } from '../stored/record.ts';
import type { HostPlan, Plan, PlanAction, PlanCommand, PlanItem } from './plan.ts';
import type { Edge, Resource } from './resources.ts';

type ServiceCheck = NonNullable<Extract<Resource, { kind: 'service' }>['check']>;

const text = z.string();
const number = z.number();
const flag = z.boolean();
const texts = z.array(text);

const resource = byKind<Resource>({
  file: {
    path: text,
    content: text,
    owner: text,
    group: text,
    mode: text,
    note: text.optional(),
    beforePackages: flag.optional(),
    aptSource: flag.optional(),
  },
  directory: { path: text, owner: text, group: text, mode: text, only: texts.optional() },
  link: { path: text, target: text },
  absent: { path: text },
  'apt-key': {
    path: text,
    source: z.union([
      record<{ readonly url: string }>({ url: text }),
      record<{ readonly file: string }>({ file: text }),
    ]),
    fingerprint: text.optional(),
    content: text.optional(),
  },
  package: {
    name: text,
    version: text.optional(),
    file: z
      .union([
        record<{ readonly url: string }>({ url: text }),
        record<{ readonly upload: string }>({ upload: text }),
      ])
      .optional(),
    sha256: text.optional(),
  },
  user: { name: text, home: text, groups: texts },
  payload: { version: text, sha256: text, bytes: number },
  service: {
    name: text,
    enabled: flag,
    running: z.union([flag, z.null()]),
    masked: flag.optional(),
    inputs: text,
    restartOn: texts,
    after: words<Edge>({ 'zookeeper-quorum': true, 'master-elected': true }).optional(),
    check: record<ServiceCheck>({ command: texts, properties: texts, before: texts }).optional(),
  },
});

const item = record<PlanItem>({
  id: text,
  action: words<PlanAction>({
    create: true,
    change: true,
    remove: true,
    install: true,
    upgrade: true,
    enable: true,
    disable: true,
    start: true,
    stop: true,
    restart: true,
    reload: true,
    'replace-agent': true,
    repair: true,
    restore: true,
  }),
  title: text,
  diff: texts,
  reason: text.optional(),
  whole: z.literal(true).optional(),
  byApt: z.literal(true).optional(),
  endsTasks: z.union([number, z.null()]).optional(),
  resource: resource.optional(),
});

const host = record<HostPlan>({
  host: text,
  items: z.array(item),
  address: record<NonNullable<HostPlan['address']>>({ address: text, why: text }).optional(),
  basis: text,
});

export const storedPlan = record<Plan>({
  format: z.literal(1),
  command: words<PlanCommand>({ install: true, start: true, stop: true, uninstall: true }),
  cluster: text,
  version: text,
  hosts: z.array(host),
});
