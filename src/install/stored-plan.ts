/** The schema of a saved plan. */

import { z } from 'zod';
import { literals, record } from '../stored/record.ts';
import type { PlanAction } from './item.ts';
import type { PackageFile, Pin } from './package-file.ts';
import type { HostPlan, Plan, PlanCommand, PlanItem } from './plan.ts';
import { storedResource } from './resources/registry.ts';

const text = z.string();
const number = z.number();
const texts = z.array(text);

const item = record<PlanItem>({
  id: text,
  action: literals<PlanAction>({
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
    'step-down': true,
    'replace-agent': true,
    drain: true,
    undrain: true,
    repair: true,
    restore: true,
  }),
  title: text,
  diff: texts,
  reason: text.optional(),
  whole: z.literal(true).optional(),
  byApt: z.literal(true).optional(),
  endsTasks: z.union([number, z.null()]).optional(),
  returns: z.literal(true).optional(),
  resource: storedResource.optional(),
});

const host = record<HostPlan>({
  host: text,
  items: z.array(item),
  address: record<NonNullable<HostPlan['address']>>({ address: text, why: text }).optional(),
  basis: text,
  pins: z.array(record<Pin>({ name: text, version: text, sha256: text })).optional(),
  files: z
    .array(record<PackageFile>({ name: text, version: text, sha256: text, bytes: number, control: text }))
    .optional(),
  onlyFiles: z.literal(true).optional(),
});

export const storedPlan = record<Plan>({
  format: z.literal(1),
  command: literals<PlanCommand>({
    install: true,
    start: true,
    stop: true,
    uninstall: true,
    drain: true,
    undrain: true,
    upgrade: true,
  }),
  cluster: text,
  version: text,
  hosts: z.array(host),
});
