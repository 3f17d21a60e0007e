/**
 * The shape of `cluster.yaml`. Every scalar arrives as the text that stands in the file, so that a version 1.10 or
 * an attribute 010 stays what it is; numbers are read here. An error's message names what was expected, as a noun;
 * of an unknown key it lists the known ones. `spec-errors.ts` makes sentences of them.
 */

import { z } from 'zod';
import { HOST_NAME, parseHostAddress, USER_NAME } from './host-address.ts';
import { checkSchedulerFlags } from './scheduler-flags.ts';
import { issueOf } from './spec-errors.ts';

/** A word or line that must fit a pattern. */
function text(pattern: RegExp, expected: string) {
  return z.string({ error: expected }).regex(pattern, { error: expected });
}

/** Scalars that YAML itself would read as something else than text are welcome in an editor too. */
function scalar(pattern: RegExp, expected: string) {
  return text(pattern, expected).meta({ scalar: true });
}

function whole(least: number, most: number) {
  const expected = `a whole number from ${least} to ${most}`;
  return text(/^\d{1,9}$/, expected)
    .transform(Number)
    .pipe(z.number().min(least, { error: expected }).max(most, { error: expected }))
    .meta({ whole: [least, most] });
}

function block<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? Object.keys(shape).join(' ') : 'a block of keys and values',
  });
}

function table<Key extends z.ZodType<string, string>, Value extends z.ZodType>(keys: Key, values: Value) {
  return z.record(keys, values, { error: 'a block of keys and values' });
}

const line = scalar(/^[^\p{Cc}]*$/u, 'text of one line');
const filled = text(/^[^\p{Cc}]+$/u, 'text of one line');
const version = scalar(/^[A-Za-z0-9.+:~-]+$/, 'the version of a package');
const port = whole(1, 65_535);

// These names become the names of files, and a dot first would hide them.
const FLAG = text(/^(no-)?[a-z][a-z0-9_]*$/, 'the name of a flag, without dashes before it');
const KEY = text(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'a name of letters, digits, dots, dashes and underscores');

const flags = table(FLAG, line);

const location = text(/^[^\s\p{Cc}][^\p{Cc}]*$/u, 'an http(s) URL or the path of a file here');

const repository = block({
  debian: filled
    .describe('What follows "deb" on Debian; {id}, {codename} and {arch} stand for the host\'s.')
    .optional(),
  ubuntu: filled.describe('The same for Ubuntu.').optional(),
  key: location
    .describe("The repository's key: an http(s) URL that this machine fetches, or a file here.")
    .optional(),
  fingerprint: text(
    /^(?:(?:[0-9A-Fa-f] *){40}|(?:[0-9A-Fa-f] *){64})$/,
    "a key's fingerprint of 40 or 64 hex digits",
  )
    .transform((hex) => hex.replaceAll(' ', '').toUpperCase())
    .describe('Of that key; another key is refused.')
    .optional(),
}).describe(
  'Packages from elsewhere than the project itself, such as a mirror. What is missing stays as it is.',
);

const packaged = (source: 'clusterd' | 'mesosphere', description: string) =>
  block({
    source: z.literal(source).describe(description),
    version: version
      .describe('Of the package; without it any that is installed, or else the newest.')
      .optional(),
    repository: repository.optional(),
  });

const mesos = z
  .discriminatedUnion('source', [
    packaged('clusterd', 'The maintained Mesos, for Debian 11 and 12, Ubuntu 22.04 and 24.04.'),
    packaged('mesosphere', 'The old packages, for Ubuntu 14.04, 16.04 and 18.04.'),
    block({
      source: z.literal('package').describe('A single Debian package.'),
      from: location.describe('An http(s) URL that the hosts fetch, or a file here.'),
      sha256: text(/^[0-9A-Fa-f]{64}$/, 'a SHA-256 of 64 hex digits')
        .transform((hex) => hex.toLowerCase())
        .describe('Of the package; another is refused.'),
    }),
    block({ source: z.literal('preinstalled').describe('Mesos is on the hosts already.') }),
  ])
  .describe('Where Mesos comes from.');

const docker = z
  .discriminatedUnion('source', [
    block({
      source: z.literal('distribution').describe("The distribution's docker.io."),
      version: version.optional(),
    }),
    block({
      source: z.literal('docker-ce').describe("Docker's own packages."),
      version: version.optional(),
      repository: repository.optional(),
    }),
    block({ source: z.literal('preinstalled').describe('Docker is on the agents already.') }),
  ])
  .describe('Where Docker comes from.');

const sshShape = {
  user: text(USER_NAME, 'the name of a user').describe('Who logs in.').optional(),
  port: port.describe("The SSH server's port.").optional(),
  key: filled.describe('Path of a private key on this machine.').optional(),
  bastion: text(/^[^\s-][^\s]*$/, 'hosts to jump through, as ProxyJump has them')
    .describe('Hosts to jump through, as ProxyJump has them: user@host:port, several with commas.')
    .optional(),
};

const role = z.enum(['zookeeper', 'master', 'scheduler', 'agent']);

const hostBlock = block({
  name: text(HOST_NAME, 'the name or address of a host').describe('Unique; SSH connects to it.'),
  address: text(HOST_NAME, 'a name or address').describe('Where SSH connects instead.').optional(),
  privateAddress: z
    .union([z.ipv4(), z.ipv6()], { error: 'an IP address' })
    .describe('How the other hosts reach it; found on the host without it.')
    .optional(),
  local: z
    .enum(['true', 'false'], { error: 'true or false' })
    .transform((word) => word === 'true')
    .meta({ yesno: true, description: 'This machine itself: without SSH.' })
    .optional(),
  roles: z
    .array(role, { error: 'a list of roles' })
    .min(1, { error: 'at least one role' })
    .describe(
      'What runs there. Where no host names any: the first three (one, of one or two) are masters with ZooKeeper and scheduler, and all are agents. Else a host without any is an agent.',
    )
    .optional(),
  attributes: table(KEY, line).describe('Mesos attributes of the agent, e.g. rack: a.').optional(),
  resources: table(KEY, line)
    .describe('Mesos resources of the agent, e.g. cpus: 4. Others are found by Mesos.')
    .optional(),
  hostname: text(HOST_NAME, 'a host name')
    .describe('Under which Mesos knows it; its private address without it.')
    .optional(),
  masterFlags: flags.describe('Flags of this master alone.').optional(),
  agentFlags: flags.describe('Flags of this agent alone.').optional(),
  ssh: block({
    ...sshShape,
    hostKey: text(/^SHA256:[A-Za-z0-9+/]{43}=?$/, 'a fingerprint as ssh-keygen -l shows it: SHA256:…')
      .describe('The only host key that will do, as ssh-keygen -l shows it.')
      .optional(),
  })
    .describe('How to reach this host.')
    .optional(),
});

const host = z.union([
  z
    .string()
    .refine((typed) => parseHostAddress(typed) !== undefined, { error: 'a host, as name or user@name:port' })
    .describe('A name or address, also as user@name:port.'),
  hostBlock,
]);

const ports = block({
  master: port.describe('5050 without it.').optional(),
  agent: port.describe('5051 without it.').optional(),
  scheduler: port.describe('8080 without it.').optional(),
  zookeeper: port.describe('2181 without it.').optional(),
});

export const specSchema = block({
  name: text(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'up to 63 letters, digits, - and _')
    .describe("The cluster's name: of its state on this machine, of the Mesos cluster, and on containers.")
    .optional(),
  mesos: mesos.optional(),
  docker: docker.optional(),
  ssh: block(sshShape)
    .describe("How to reach the hosts; what is missing is left to OpenSSH's configuration.")
    .optional(),
  hosts: z.array(host, { error: 'a list of hosts' }).min(1, { error: 'at least one host' }),
  masterFlags: flags
    .describe('Flags of every Mesos master, without dashes before them. An empty value is a switch.')
    .optional(),
  agentFlags: flags.describe("Flags of every Mesos agent; a host's own come before them.").optional(),
  schedulerFlags: flags
    .check(({ value, issues }) => {
      issues.push(...checkSchedulerFlags(value).map((complaint) => issueOf(complaint, value)));
    })
    .describe('Flags of the scheduler.')
    .optional(),
  ports: ports.optional(),
}).describe('A Mesos cluster for mesosup.');

/** A spec as it was written, every scalar as text. */
export type SpecInput = z.input<typeof specSchema>;
export type Spec = z.output<typeof specSchema>;
export type SpecHost = Spec['hosts'][number];
export type SpecRepository = z.output<typeof repository>;

/** The JSON Schema for editors: of the file as it is written, where numbers and booleans need no quotes. */
export function specJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(specSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      const own: Record<string, unknown> = jsonSchema;
      if (own.scalar) own.type = ['string', 'number', 'boolean', 'null'];
      if (own.yesno) {
        own.type = 'boolean';
        delete own.enum;
      }
      if (Array.isArray(own.whole)) {
        Object.assign(own, { type: 'integer', minimum: own.whole[0], maximum: own.whole[1] });
        delete own.pattern;
      }
      for (const mark of ['scalar', 'yesno', 'whole']) delete own[mark];
    },
  });
  return { ...schema, title: 'mesosup cluster' };
}
