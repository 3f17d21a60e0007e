/**
 * The operator's policy for what runs outside the Docker executor, where the policy of an agent
 * (../../executor/domain/policy.ts) has no effect. Without a policy everything is allowed, as in Marathon; with one,
 * everything is refused that it does not allow.
 */

import * as z from 'zod';
import { filled, flag, list } from './app-fields.ts';
import { fieldErrors } from './field-errors.ts';

const names = list(filled, 1000).default([]);

const policySchema = z.strictObject(
  {
    /** Allows plain commands, which run on the agent without a container. */
    allowCommands: flag.default(false),
    /** Paths of executors that apps may name, besides the Docker executor. */
    allowedExecutors: names,
    /** Mesos' own containerizers that apps may choose. */
    allowedContainerizers: list(z.enum(['docker', 'mesos'], { error: 'must be docker or mesos' }), 2).default(
      [],
    ),
    /** Users of the agents as whom tasks may run outside the Docker executor. */
    allowedUsers: names,
    /** URIs that agents may fetch; a value that ends in `/` allows all below it. */
    allowedUris: list(filled, 1000).default(['http://', 'https://']),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `has the unknown key ${issue.keys[0]}` : 'must be a JSON object',
  },
);

export type SchedulerPolicy = Readonly<z.output<typeof policySchema>>;

/** @returns the policy, or the first problem with the path of its key */
export function parsePolicy(content: unknown): { policy: SchedulerPolicy } | { problem: string } {
  const parsed = policySchema.safeParse(content);
  if (parsed.success) return { policy: parsed.data };
  const [first] = fieldErrors(parsed.error);
  return { problem: `${first?.path.join('.') ?? ''} ${first?.error ?? 'is invalid'}`.trim() };
}

/** True if the policy allows agents to fetch the URI. */
export function allowsUri({ allowedUris }: SchedulerPolicy, uri: string): boolean {
  return allowedUris.some((allowed) => {
    if (uri === allowed) return true;
    if (!allowed.endsWith('/') || !uri.startsWith(allowed)) return false;
    // The rest of the path must not lead out of what is allowed. Agents resolve `..` in all URIs, also as %2e.
    const rest = uri.slice(allowed.length);
    if (!/^https?:\/\//.test(allowed)) return !/(?:^|\/)\.\.(?:\/|$)|%/.test(rest);
    const isAnySite = /^https?:\/\/$/.test(allowed);
    return isAnySite || !/(?:^|[\\/])(?:\.|%2e){2}(?:[\\/?#]|$)/i.test(rest.replace(/%(?:2f|5c)/gi, '/'));
  });
}
