/** Schemas of the queue and of the explanation why an app is waiting. */

import * as z from 'zod';
import { constraintSchema } from '../../domain/constraint.ts';
import { SCALARS } from '../../domain/placement.ts';
import { type Shown, time } from '../openapi/shown.ts';
import { v2AppSchemas } from './app-schemas.ts';

const text = z.string();
const texts = z.array(text);
const number = z.number();
const flag = z.boolean();

const funnel = z.array(z.object({ reason: text, declined: number, processed: number }));

const values = z.object({
  name: text,
  scalar: number.optional(),
  ranges: z.array(z.object({ begin: number, end: number })).optional(),
  set: texts.optional(),
});

const unusedOffer = z.object({
  offer: z.object({
    id: text,
    agentId: text,
    hostname: text,
    resources: z.array(values.extend({ role: text })),
    attributes: z.array(values.extend({ text: text.optional() })),
  }),
  reason: texts,
  timestamp: time,
});

const queue = z.object({
  queue: z.array(
    z.object({
      app: v2AppSchemas.AppVersion,
      count: number,
      delay: z.object({ timeLeftSeconds: number, overdue: flag }),
      since: time,
      processedOffersSummary: z.object({
        processedOffersCount: number,
        unusedOffersCount: number,
        lastUsedOfferAt: time.optional(),
        lastUnusedOfferAt: time.optional(),
        rejectSummaryLastOffers: funnel,
        rejectSummaryLaunchAttempt: funnel,
        reasons: texts.meta({ description: 'Why the app is waiting' }),
      }),
      lastUnusedOffers: z.array(unusedOffer).optional(),
    }),
  ),
});

const scalar = z.enum(SCALARS);
/** Present if the check failed. */
const reason = text.optional();

const check = z.union([
  z.object({ stage: z.literal('policy'), ok: flag, forbidden: text, reason }),
  z.object({ stage: z.literal('containerizer'), ok: flag, lacks: texts, reason }),
  z.object({ stage: z.literal('roles'), ok: flag, accepted: texts, offered: texts, reason }),
  z.object({
    stage: scalar,
    ok: flag,
    wanted: number,
    executor: number,
    offered: number,
    divided: flag.optional(),
    reason,
  }),
  z.object({
    stage: z.literal('ports'),
    ok: flag,
    wanted: number,
    offered: number,
    missing: z.array(number),
    reason,
  }),
  z.object({
    stage: z.literal('constraints'),
    ok: flag,
    broken: z.array(z.object({ constraint: constraintSchema, value: text.optional() })),
    reason,
  }),
]);

const inWords = { text };
const remedy = z.union([
  z.object({ field: z.enum([...SCALARS, 'ports']), from: number, to: number, ...inWords }),
  z.object({ field: z.literal('hostPorts'), from: z.array(number), to: z.literal('any'), ...inWords }),
  z.object({ field: z.literal('acceptedResourceRoles'), from: texts, to: texts, ...inWords }),
  z.object({ field: z.literal('constraints'), without: constraintSchema, ...inWords }),
]);

const explanation = z.object({
  appId: text,
  instances: number,
  running: number,
  missing: number,
  deploymentId: text.optional(),
  since: time.optional(),
  reasons: texts,
  agents: z.array(z.object({ agentId: text, hostname: text, at: time, checks: z.array(check) })),
  nearest: z.object({ agentId: text, hostname: text, lacks: texts }).optional(),
  change: remedy.optional().meta({ description: 'A single change with which the app would be placed' }),
});

/** Named as in the API's description. */
export const queueSchemas = { Queue: queue, Explanation: explanation };

export type QueueJson = Shown<typeof queue>;
export type ExplanationJson = Shown<typeof explanation>;
