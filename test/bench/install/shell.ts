/** The bare commands that bring a host to the desired state of a plan: the lower bound for an installer's time. */

import { quote } from '../../../src/hosts/quote.ts';
import { madePackage } from '../../../src/install/resources/package.ts';
import type { Resource } from '../../../src/install/resources/registry.ts';
import type { ServiceResource } from '../../../src/install/resources/service.ts';

/** Path of the payload's archive on the host. */
export const ARCHIVE = '/root/payload.tar.gz';

/** Builds one sh script without checks, waits, journal or progress. @param reveal inserts secrets */
export function bareCommands(resources: readonly Resource[], reveal: (text: string) => string): string {
  const lines = resources.flatMap((resource) => command(resource, reveal));
  // Packages that a host makes itself are a means of mesosup's own.
  const packages = resources.flatMap((r) => (r.kind === 'package' && !madePackage(r) ? [quote(r.name)] : []));
  const sources = lines.filter(({ phase }) => phase === 'source');
  const rest = lines.filter(({ phase }) => phase === 'rest');
  const services = resources.filter((r): r is ServiceResource => r.kind === 'service');
  const named = (of: readonly ServiceResource[]) => of.map((s) => quote(s.name)).join(' ');
  const wanted = services.filter((s) => s.enabled);
  const masked = services.filter((s) => s.masked === true);
  return [
    'set -e',
    'export DEBIAN_FRONTEND=noninteractive LC_ALL=C',
    ...sources.map(({ text }) => text),
    "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d",
    'apt-get update -qq',
    `apt-get install -y -qq --no-install-recommends ${packages.join(' ')}`,
    'rm /usr/sbin/policy-rc.d',
    ...rest.map(({ text }) => text),
    'systemctl daemon-reload',
    ...(masked.length > 0 ? [`systemctl mask --now ${named(masked)}`] : []),
    `systemctl enable ${named(wanted)}`,
    `systemctl restart ${named(wanted)}`,
    '',
  ].join('\n');
}

interface Line {
  phase: 'source' | 'rest';
  text: string;
}

function command(resource: Resource, reveal: (text: string) => string): Line[] {
  switch (resource.kind) {
    case 'directory':
      return rest(
        `install -d -o ${resource.owner} -g ${resource.group} -m ${resource.mode} ${quote(resource.path)}`,
        resource.path.startsWith('/etc/apt/'),
      );
    case 'file': {
      const base64 = Buffer.from(reveal(resource.content)).toString('base64');
      const path = quote(resource.path);
      return rest(
        `mkdir -p "$(dirname ${path})"; echo ${base64} | base64 -d >${path}; chown ${resource.owner}:${resource.group} ${path}; chmod ${resource.mode} ${path}`,
        resource.aptSource === true,
      );
    }
    case 'apt-key':
      return rest(
        `mkdir -p "$(dirname ${quote(resource.path)})"; echo ${resource.content ?? ''} | base64 -d >${quote(resource.path)}`,
        true,
      );
    case 'link':
      return rest(`ln -sfn ${quote(resource.target)} ${quote(resource.path)}`);
    case 'absent':
      return rest(`rm -rf ${quote(resource.path)}`);
    case 'user':
      return rest(
        `id ${quote(resource.name)} >/dev/null 2>&1 || useradd --system --home-dir ${quote(resource.home)} --shell /usr/sbin/nologin ${quote(resource.name)}`,
      );
    case 'payload':
      return rest(
        `d=/opt/mesosup/${quote(resource.version)}; mkdir -p "$d"; tar -C "$d" -xzf ${ARCHIVE} --no-same-owner`,
      );
    default:
      return [];
  }
}

function rest(text: string, source = false): Line[] {
  return [{ phase: source ? 'source' : 'rest', text }];
}
