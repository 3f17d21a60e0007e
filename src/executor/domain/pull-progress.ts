/**
 * The progress of a pull, from the lines that the engine sends: each line concerns one layer, or the pull as a whole.
 * Source: docs.docker.com/reference/api/engine, ImageCreate; the statuses are those of moby's distribution/pull_v2.go.
 */

interface Layer {
  /** Downloaded bytes. */
  readonly bytes: number;
  /** The layer's size in bytes; unknown until its download begins. */
  readonly size: number | undefined;
  /** True if the layer is in the engine's storage. */
  readonly done: boolean;
}

export type Layers = ReadonlyMap<string, Layer>;

/** One line of a pull. */
export interface PullLine {
  readonly status?: string;
  /** The layer's id. */
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

const LAYER_STATUS =
  /^(?:Pulling fs layer|Waiting|Downloading|Verifying Checksum|Download complete|Extracting|Pull complete|Already exists|Retrying in .*)$/;

export function afterLine(layers: Layers, { status = '', id, progressDetail }: PullLine): Layers {
  // The first line has the tag as its id.
  if (id === undefined || !LAYER_STATUS.test(status)) return layers;
  const layer = layers.get(id) ?? { bytes: 0, size: undefined, done: false };
  return new Map(layers).set(id, afterStatus(layer, status, progressDetail ?? {}));
}

function afterStatus(layer: Layer, status: string, { current, total }: { current?: number; total?: number }) {
  if (status === 'Already exists') return { bytes: 0, size: 0, done: true };
  if (status === 'Downloading') {
    const size = total !== undefined && total > 0 ? total : layer.size;
    return { ...layer, bytes: current ?? layer.bytes, size };
  }
  if (status.startsWith('Retrying')) return { ...layer, bytes: 0 };
  const done = status === 'Pull complete';
  const complete = done || ['Verifying Checksum', 'Download complete', 'Extracting'].includes(status);
  return { ...layer, bytes: complete ? (layer.size ?? layer.bytes) : layer.bytes, done };
}

/** Describes the progress in one line; undefined before the engine has named a layer. */
export function describePull(image: string, layers: Layers): string | undefined {
  const all = [...layers.values()];
  if (all.length === 0) return undefined;
  const done = all.filter((layer) => layer.done).length;
  const bytes = all.reduce((sum, layer) => sum + layer.bytes, 0);
  const size = all.reduce((sum, layer) => sum + (layer.size ?? 0), 0);
  const isComplete = all.every((layer) => layer.size !== undefined);
  const share = isComplete && size > 0 ? ` of ${megabytes(size)} (${Math.floor((100 * bytes) / size)}%)` : '';
  return `Pulling ${image}: ${megabytes(bytes)}${share}, ${done} of ${all.length} layers done`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
