/** Helpers that build resources. */

import { reveal } from '../../cluster/secrets.ts';
import type { DirectoryResource } from '../resources/directory.ts';
import type { FileResource } from '../resources/file.ts';
import { type Resource, resourceId } from '../resources/registry.ts';
import type { Edge, ServiceCheck, ServiceResource, StateMove } from '../resources/service.ts';
import type { Context } from './context.ts';

interface FileOptions {
  readonly mode?: string;
  /** User and group. */
  readonly owner?: string;
  readonly note?: string;
}

/** By default the file belongs to root, and all users may read it. */
export function file(path: string, content: string, options: FileOptions = {}): FileResource {
  const owner = options.owner ?? 'root';
  return {
    kind: 'file',
    path,
    content,
    owner,
    group: owner,
    mode: options.mode ?? '0644',
    ...(options.note !== undefined && { note: options.note }),
  };
}

/** Only the owner can read the file. */
export function secretFile(path: string, content: string, note: string, owner = 'root'): FileResource {
  return file(path, content, { mode: '0600', owner, note });
}

export function directory(
  path: string,
  options: { readonly mode?: string; readonly owner?: string; readonly only?: readonly string[] } = {},
): DirectoryResource {
  const owner = options.owner ?? 'root';
  return {
    kind: 'directory',
    path,
    owner,
    group: owner,
    mode: options.mode ?? '0755',
    ...(options.only && { only: options.only }),
  };
}

/** Returns the path of a unit or job of mesosup. */
export function unitPath(context: Context, name: string): string {
  if (context.own.init === 'upstart') return `/etc/init/${name}.conf`;
  return `/etc/systemd/system/${name.includes('.') ? name : `${name}.service`}`;
}

interface ServiceOptions {
  readonly after?: Edge;
  /** Defaults to the wanted state of the cluster's services. */
  readonly running?: boolean;
  readonly check?: ServiceCheck;
  readonly move?: StateMove;
}

/** Builds a service that restarts when one of `inputs` changes. */
export function service(
  context: Context,
  name: string,
  inputs: readonly Resource[],
  options: ServiceOptions = {},
): ServiceResource {
  const running = options.running ?? context.running;
  return {
    kind: 'service',
    name,
    enabled: running === true,
    running,
    inputs: inputsDigest(context, inputs),
    restartOn: inputs.map(resourceId),
    ...(options.after && { after: options.after }),
    ...(options.check && { check: options.check }),
    ...(options.move && { move: options.move }),
  };
}

/** Builds a service of a package whose role the host lacks: nothing may start it. */
export function maskedService(name: string): ServiceResource {
  return { kind: 'service', name, enabled: false, running: false, masked: true, inputs: '', restartOn: [] };
}

function inputsDigest({ sha256, secrets }: Context, inputs: readonly Resource[]): string {
  const lines = inputs.map((resource) => {
    const plain =
      resource.kind === 'file'
        ? { ...resource, content: reveal(resource.content, secrets), note: '' }
        : { ...resource, content: '' };
    return JSON.stringify(plain);
  });
  return sha256(lines.join('\n'));
}
