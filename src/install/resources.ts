/**
 * What a host should have: a list of typed resources, in the order they are made. The same list serves install,
 * start, stop and uninstall; only what differs from the facts becomes an item of the plan.
 */

export type Resource =
  | FileResource
  | DirectoryResource
  | LinkResource
  | AbsentResource
  | AptKeyResource
  | PackageResource
  | UserResource
  | PayloadResource
  | ServiceResource;

/**
 * Text in which secrets stand as marks (`secretMark`), so that a plan can be shown and saved. They are put in only
 * for a file's digest and in the script for the host.
 */
export type MarkedText = string;

export interface FileResource {
  readonly kind: 'file';
  readonly path: string;
  readonly content: MarkedText;
  readonly owner: string;
  readonly group: string;
  /** Four octal digits. */
  readonly mode: string;
  /** Why it is there, for people: `the addresses of the masters`. */
  readonly note?: string;
  /** Written before packages come (so that their scripts find it), or only after them. */
  readonly beforePackages?: boolean;
  /** True for a list of an apt repository: after a change the package lists are fetched anew. */
  readonly aptSource?: boolean;
}

export interface DirectoryResource {
  readonly kind: 'directory';
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  readonly mode: string;
  /** Given: nothing else may lie in it (a stray file in /etc/mesos-agent is a flag). Others are moved to the backup. */
  readonly only?: readonly string[];
}

export interface LinkResource {
  readonly kind: 'link';
  readonly path: string;
  readonly target: string;
}

/** A path that must not be there, e.g. a flag that is wanted no more. What was there is kept in the backup. */
export interface AbsentResource {
  readonly kind: 'absent';
  readonly path: string;
}

/** A repository's key: its file is written from `content` when the host's has another fingerprint. */
export interface AptKeyResource {
  readonly kind: 'apt-key';
  readonly path: string;
  readonly source: { readonly url: string } | { readonly file: string };
  readonly fingerprint?: string;
  /** ASCII-armoured or binary, as base64: filled in by the edge only when the host lacks the key. */
  readonly content?: string;
}

export interface PackageResource {
  readonly kind: 'package';
  readonly name: string;
  /** This one or the beginning of it, without its epoch (`1.11.0-0.7`); any installed, or the newest, without one. */
  readonly version?: string;
  /** A single file instead of a repository; `name` is then the package inside it. */
  readonly file?: { readonly url: string } | { readonly upload: string };
  /** Of that file, hex; checked on the host before it is unpacked. */
  readonly sha256?: string;
}

export interface UserResource {
  readonly kind: 'user';
  readonly name: string;
  /** Made as a system user without a login when it is missing. */
  readonly home: string;
  /** Groups it must be a member of beyond its own. */
  readonly groups: readonly string[];
}

export interface PayloadResource {
  readonly kind: 'payload';
  readonly version: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Something true elsewhere in the cluster that must hold before a service starts; waited for on the host itself. */
export type Edge = 'zookeeper-quorum' | 'master-elected';

export interface ServiceResource {
  readonly kind: 'service';
  /** Without `.service`; a timer's with its `.timer`. */
  readonly name: string;
  readonly enabled: boolean;
  /** Null: left as it is, but restarted when it runs and its inputs changed. */
  readonly running: boolean | null;
  /** True: it can be started neither by hand nor by a package (a role this host hasn't). */
  readonly masked?: boolean;
  /** Digest of all it reads at its start: files, packages, payload. */
  readonly inputs: string;
  /** Ids of the resources behind `inputs`: a change of one restarts it. */
  readonly restartOn: readonly string[];
  readonly after?: Edge;
  readonly check?: ServiceCheck;
}

/** A command that accepts or refuses a service's new settings while the old process still runs. */
export interface ServiceCheck {
  readonly command: readonly string[];
  /** Of systemd's units: those that decide which files the command sees, as the service will. */
  readonly properties: readonly string[];
  /** Ids of the resources that bring the settings into force. The command runs before the first of them changes. */
  readonly before: readonly string[];
}

/** `kind:name`, unique on a host. */
export function resourceId(resource: Resource): string {
  switch (resource.kind) {
    case 'package':
    case 'user':
    case 'service':
      return `${resource.kind}:${resource.name}`;
    case 'payload':
      return `payload:${resource.version}`;
    case 'absent':
      return `file:${resource.path}`;
    default:
      return `${resource.kind}:${resource.path}`;
  }
}
