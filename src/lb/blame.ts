/** Finds out which apps and certificates made haproxy refuse a configuration, so that all others get theirs. */

import type { Line } from './configuration.ts';

export interface Blame {
  /** The reason by app. */
  readonly apps: ReadonlyMap<string, string>;
  /** The reason by name of the certificate. */
  readonly certificates: ReadonlyMap<string, string>;
  /** The reason by service port that haproxy can't listen on: the app itself is not the cause. */
  readonly ports: ReadonlyMap<number, string>;
}

/** @param output what haproxy wrote; it numbers lines from 1 */
export function blame(output: string, lines: readonly Line[], certificates: Iterable<string>): Blame {
  const apps = new Map<string, string>();
  const broken = new Map<string, string>();
  const ports = new Map<number, string>();
  for (const text of output.split('\n')) {
    if (!text.startsWith('[ALERT]')) continue;
    const why = text.replace(/^\[ALERT\]\s+\(\d+\) : /, '').replaceAll(/\[\S*\.cfg(\.new)?:\d+\]:? ?/g, '');
    const [, port, reason = ''] = / for frontend port-(\d+): (cannot bind .*)$/.exec(text) ?? [];
    if (port !== undefined) {
      ports.set(Number(port), reason);
      continue;
    }
    const certificate = [...certificates].find(
      (name) => text.includes(`/${name}'`) || text.includes(`/${name}.`) || text.endsWith(`/${name}`),
    );
    if (certificate !== undefined) {
      broken.set(certificate, why);
      continue;
    }
    for (const [, number] of text.matchAll(/\.cfg(?:\.new)?:(\d+)/g)) {
      const appId = lines[Number(number) - 1]?.appId;
      if (appId !== undefined) apps.set(appId, why);
    }
  }
  return { apps, certificates: broken, ports };
}
