/**
 * The schema of `cluster.yaml`. Every scalar is the text in the file, so that a version 1.10 or an attribute 010 is not
 * changed; numbers are parsed here. The message of an error is the expected value, as a noun; for an unknown key it
 * lists the known keys. `spec-errors.ts` makes sentences of them.
 */

import { z } from 'zod';
import { ROLES } from './cluster.ts';
import { HOST_NAME, parseHostAddress, USER_NAME } from './host-address.ts';
import { checkLbFlags } from './lb-flags.ts';
import { checkSchedulerFlags } from './scheduler-flags.ts';
import { issueOf } from './spec-errors.ts';

/** Text that must match a pattern. */
function text(pattern: RegExp, expected: string) {
  return z.string({ error: expected }).regex(pattern, { error: expected });
}

/** Text that may look like a number or boolean in YAML; the JSON Schema for editors allows these types, too. */
function scalar(pattern: RegExp, expected: string) {
  return text(pattern, expected).meta({ scalar: true });
}

function wholeNumber(least: number, most: number) {
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
const port = wholeNumber(1, 65_535);

// These names become file names, and a leading dot would hide the files.
const FLAG = text(/^(no-)?[a-z][a-z0-9_]*$/, 'the name of a flag, without dashes before it');
const LB_FLAG = text(/^[a-z][a-z0-9-]*$/, 'the name of a flag, without dashes before it');
const KEY = text(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, 'a name of letters, digits, dots, dashes and underscores');

const flags = table(FLAG, line);

const location = text(/^[^\s\p{Cc}][^\p{Cc}]*$/u, 'an http(s) URL or the path of a file here');

const repository = block({
  debian: filled
    .describe(
      'The text after "deb" on Debian. {id}, {codename} and {arch} are replaced by the host\'s values.',
    )
    .optional(),
  ubuntu: filled.describe('The same for Ubuntu.').optional(),
  key: location
    .describe("The repository's key: an http(s) URL that this machine fetches, or a file on this machine.")
    .optional(),
  fingerprint: text(
    /^(?:(?:[0-9A-Fa-f] *){40}|(?:[0-9A-Fa-f] *){64})$/,
    "a key's fingerprint of 40 or 64 hex digits",
  )
    .transform((hex) => hex.replaceAll(' ', '').toUpperCase())
    .describe('Fingerprint of the key. Other keys are refused.')
    .optional(),
}).describe("Another source of the packages, for example a mirror. Missing keys keep the project's values.");

const packaged = (source: 'clusterd' | 'mesosphere', description: string) =>
  block({
    source: z.literal(source).describe(description),
    version: version
      .describe('Version of the package. Default: the installed version, or else the newest.')
      .optional(),
    repository: repository.optional(),
  });

const mesos = z
  .discriminatedUnion('source', [
    packaged('clusterd', 'The maintained Mesos, for Debian 11 and 12, Ubuntu 22.04 and 24.04.'),
    packaged('mesosphere', 'The old packages, for Ubuntu 14.04, 16.04 and 18.04.'),
    block({
      source: z.literal('package').describe('A single Debian package.'),
      from: location.describe('An http(s) URL that the hosts fetch, or a file on this machine.'),
      sha256: text(/^[0-9A-Fa-f]{64}$/, 'a SHA-256 of 64 hex digits')
        .transform((hex) => hex.toLowerCase())
        .describe('SHA-256 of the package. Other files are refused.'),
    }),
    block({ source: z.literal('preinstalled').describe('Mesos is installed on the hosts already.') }),
  ])
  .describe('Source of Mesos.');

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
    block({ source: z.literal('preinstalled').describe('Docker is installed on the agents already.') }),
  ])
  .describe('Source of Docker.');

const sshShape = {
  user: text(USER_NAME, 'the name of a user').describe('The user who logs in.').optional(),
  port: port.describe("The SSH server's port.").optional(),
  key: filled.describe('Path of a private key on this machine.').optional(),
  bastion: text(/^[^\s-][^\s]*$/, 'hosts to jump through, in the form of ProxyJump')
    .describe('Hosts to jump through, in the form of ProxyJump: user@host:port, separated by commas.')
    .optional(),
};

const role = z.enum(ROLES);

const hostBlock = block({
  name: text(HOST_NAME, 'the name or address of a host').describe(
    'Unique name of the host. SSH connects to it unless address is set.',
  ),
  address: text(HOST_NAME, 'a name or address').describe('Address for SSH. Default: the name.').optional(),
  privateAddress: z
    .union([z.ipv4(), z.ipv6()], { error: 'an IP address' })
    .describe('IP address by which the other hosts reach it. Default: found on the host.')
    .optional(),
  local: z
    .enum(['true', 'false'], { error: 'true or false' })
    .transform((word) => word === 'true')
    .meta({ yesno: true, description: 'True: this machine, without SSH.' })
    .optional(),
  roles: z
    .array(role, { error: 'a list of roles' })
    .min(1, { error: 'at least one role' })
    .describe(
      'Roles of the host. If no host has roles, all hosts are agents, and the first three are also masters with ZooKeeper and scheduler (of one or two hosts, the first is also master and scheduler). Otherwise, a host without roles is an agent.',
    )
    .optional(),
  attributes: table(KEY, line).describe('Mesos attributes of the agent, for example rack: a.').optional(),
  resources: table(KEY, line)
    .describe('Mesos resources of the agent, for example cpus: 4. Mesos finds the others.')
    .optional(),
  hostname: text(HOST_NAME, 'a host name')
    .describe('Name of the host in Mesos. Default: its private address.')
    .optional(),
  masterFlags: flags.describe('Flags of this master only.').optional(),
  agentFlags: flags.describe('Flags of this agent only.').optional(),
  ssh: block({
    ...sshShape,
    hostKey: text(/^SHA256:[A-Za-z0-9+/]{43}=?$/, 'a fingerprint as ssh-keygen -l shows it: SHA256:…')
      .describe('The only accepted host key, as ssh-keygen -l shows it.')
      .optional(),
  })
    .describe('SSH connection to this host.')
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
  master: port.describe('Default: 5050.').optional(),
  agent: port.describe('Default: 5051.').optional(),
  scheduler: port.describe('Default: 8080.').optional(),
  zookeeper: port.describe('Default: 2181.').optional(),
});

export const specSchema = block({
  name: text(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'up to 63 letters, digits, - and _')
    .describe(
      'Name of the cluster: of its state on this machine, of the Mesos cluster, and in labels of containers.',
    )
    .optional(),
  mesos: mesos.optional(),
  docker: docker.optional(),
  ssh: block(sshShape)
    .describe("SSH connection to the hosts. Missing values are taken from OpenSSH's configuration.")
    .optional(),
  hosts: z.array(host, { error: 'a list of hosts' }).min(1, { error: 'at least one host' }),
  masterFlags: flags
    .describe('Flags of every Mesos master, without leading dashes. An empty value is a switch.')
    .optional(),
  agentFlags: flags.describe("Flags of every Mesos agent. A host's own flags override them.").optional(),
  schedulerFlags: flags
    .check(({ value, issues }) => {
      issues.push(...checkSchedulerFlags(value).map((complaint) => issueOf(complaint, value)));
    })
    .describe('Flags of the scheduler.')
    .optional(),
  lbFlags: table(LB_FLAG, line)
    .check(({ value, issues }) => {
      issues.push(...checkLbFlags(value).map((complaint) => issueOf(complaint, value)));
    })
    .describe('Flags of the load balancer, as of "mesosup lb run". An empty value is a switch.')
    .optional(),
  monitoring: block({
    listen: z
      .enum(['loopback', 'cluster'], { error: 'loopback or cluster' })
      .describe(
        "Addresses of /metrics: loopback, or the host's address within the cluster, where everyone can read it who reaches the host. Default: loopback.",
      )
      .optional(),
    port: port.describe('Port of the exporter. Default: 9103.').optional(),
  })
    .describe('An exporter of metrics for Prometheus on every host with a master or an agent. Default: none.')
    .optional(),
  ports: ports.optional(),
  zookeeper: text(
    /^zk:\/\/[^\s/@:,]+:\d+(?:,[^\s/@:,]+:\d+)*(?:\/[A-Za-z0-9._-]+)+$/,
    'the address of ZooKeeper without a password: zk://host:port,host:port/path',
  )
    .describe(
      'A ZooKeeper that mesosup does not manage, with the path of the masters. No host has the role zookeeper then.',
    )
    .optional(),
  tls: z
    .enum(['true', 'false'], { error: 'true or false' })
    .transform((word) => word === 'true')
    .meta({
      yesno: true,
      description:
        'True: a new cluster has TLS from the beginning, or is refused. False: none. Default: TLS if the package of Mesos has it. A cluster that exists stays as it is until "mesosup certs enable".',
    })
    .optional(),
}).describe('A Mesos cluster for mesosup.');

/** A spec as it is written, every scalar as text. */
export type SpecInput = z.input<typeof specSchema>;
export type Spec = z.output<typeof specSchema>;
export type SpecHost = Spec['hosts'][number];
export type SpecRepository = z.output<typeof repository>;

/** Returns the JSON Schema for editors. It describes the file, where numbers and booleans need no quotes. */
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
