/** Applies a host's plan: sends the files that it needs, starts the run, and follows it. */

import type { Host } from '../../hosts/host.ts';
import type { HostPlan } from '../plan.ts';
import { type ApplyOptions, applyScript } from '../script/apply-script.ts';
import type { HostScripts } from '../script/host-scripts.ts';
import { type FollowOptions, type RunOutcome, startRun } from './host-run.ts';
import { uploadPayload } from './upload.ts';

export interface ApplyHostOptions extends ApplyOptions, FollowOptions {
  /** The archive of the payload item, on this machine. */
  readonly payload?: { readonly file: string };
  /** Returns the path of a package file of the plan on this machine, by its SHA-256. */
  readonly packageFile?: (sha256: string) => string;
  /** Returns the path of an image's archive on this machine, by its SHA-256. */
  readonly imageFile?: (sha256: string) => string;
  /** Called with the bytes of a payload or package sent so far, and with its size. */
  readonly onUpload?: (sent: number, total: number) => void;
}

/**
 * Makes one transfer for each file that the plan needs, and one run.
 * @throws RunBusyError, RunLostError, HostError; TypeError when the plan needs a file that `options` lack
 */
export async function applyHost(
  host: Host,
  scripts: HostScripts,
  plan: HostPlan,
  options: ApplyHostOptions,
): Promise<RunOutcome> {
  const script = applyScript(scripts, plan, options);
  const upload = {
    ...(options.onUpload ? { onProgress: options.onUpload } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  };
  for (const { resource } of plan.items) {
    if (resource?.kind === 'payload') {
      if (!options.payload) throw new TypeError(`${plan.host}: the plan needs a payload, but there is none`);
      await uploadPayload(host, scripts, options.payload.file, resource.sha256, upload);
    }
    if (resource?.kind === 'package' && resource.file && 'upload' in resource.file && resource.sha256) {
      await uploadPayload(host, scripts, resource.file.upload, resource.sha256, upload);
    }
  }
  for (const { resource } of plan.items) {
    if (resource?.kind !== 'image') continue;
    const file = options.imageFile?.(resource.sha256);
    if (file === undefined) throw new TypeError(`${plan.host}: the plan needs the image ${resource.name}`);
    await uploadPayload(host, scripts, file, resource.sha256, upload);
  }
  for (const { name, sha256 } of plan.files ?? []) {
    const file = options.packageFile?.(sha256);
    if (file === undefined) throw new TypeError(`${plan.host}: the plan needs the package file of ${name}`);
    await uploadPayload(host, scripts, file, sha256, upload);
  }
  return startRun(host, scripts, script, options.run, options);
}
