/**
 * Reads the values of `--volume` and `--mount`, so that the agent's policy can check the source. Only what this file
 * understands completely is accepted; the docker program and Docker itself must not read it differently.
 * Source: docs.docker.com/engine/storage, github.com/docker/cli (opts/mount.go, cli/compose/loader/volume.go).
 */

export interface Mount {
  /** `host`: a path of the host; `volume`: Docker's volume of this name; `fresh`: nothing that existed before. */
  readonly from: 'host' | 'volume' | 'fresh';
  /** The host's path or the volume's name; empty for `fresh`. */
  readonly source: string;
  readonly readOnly: boolean;
  /** True if mounts made inside the container appear on the host. */
  readonly shared: boolean;
  /** Writes the value again, with another path of the host. */
  readonly withSource: (path: string) => string;
}

export type ParsedMount = Mount | { readonly problem: string };

/** A single letter may be the drive of a path of Windows. */
const VOLUME_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]+$/;
/** Relabelling (z, Z) is not among them, since it changes files of the host. */
const VOLUME_MODES = new Set([
  'ro',
  'rw',
  'nocopy',
  'private',
  'rprivate',
  'slave',
  'rslave',
  'shared',
  'rshared',
]);
const SHARED = new Set(['shared', 'rshared']);

/** @param value the value of `--volume`: `[SOURCE:]TARGET[:MODE,MODE…]` */
export function parseVolume(value: string): ParsedMount {
  const parts = value.split(':');
  const [source, target, modes] = parts.length === 1 ? [undefined, value, undefined] : parts;
  const wrong = { problem: `"${value}" can't be checked: write it as SOURCE:TARGET or SOURCE:TARGET:ro` };
  if (parts.length > 3 || !target?.startsWith('/') || isUnclear(value)) return wrong;
  const options = modes === undefined ? [] : modes.split(',');
  if (!options.every((option) => VOLUME_MODES.has(option))) return wrong;
  if (source !== undefined && !source.startsWith('/') && !VOLUME_NAME.test(source)) return wrong;
  return {
    from: source === undefined ? 'fresh' : source.startsWith('/') ? 'host' : 'volume',
    source: source ?? '',
    readOnly: options.includes('ro') && !options.includes('rw'),
    shared: options.some((option) => SHARED.has(option)),
    withSource: (path) => [path, target, ...(modes === undefined ? [] : [modes])].join(':'),
  };
}

/** Keys of `--mount` that are accepted, with the name under which they are written again. */
const MOUNT_KEYS: Readonly<Record<string, string>> = {
  type: 'type',
  source: 'source',
  src: 'source',
  target: 'target',
  dst: 'target',
  destination: 'target',
  readonly: 'readonly',
  ro: 'readonly',
  'bind-propagation': 'bind-propagation',
  'volume-nocopy': 'volume-nocopy',
  'tmpfs-size': 'tmpfs-size',
  'tmpfs-mode': 'tmpfs-mode',
};

/** @param value the value of `--mount`: `type=bind,source=/a,target=/b,readonly` */
export function parseMount(value: string): ParsedMount {
  const wrong = { problem: `"${value}" can't be checked: use only ${Object.keys(MOUNT_KEYS).join(', ')}` };
  if (isUnclear(value) || value.includes('"')) return wrong;
  const fields = new Map<string, string>();
  for (const part of value.split(',')) {
    const [, key = '', text] = /^([a-z-]+)(?:=(.*))?$/.exec(part) ?? [];
    const name = Object.hasOwn(MOUNT_KEYS, key) ? MOUNT_KEYS[key] : undefined;
    if (name === undefined || fields.has(name) || (text === undefined && name !== 'readonly')) return wrong;
    fields.set(name, text ?? 'true');
  }
  const source = fields.get('source') ?? '';
  const from = mountSource(fields.get('type') ?? 'volume', source);
  const readOnly = fields.get('readonly') ?? 'false';
  if (from === undefined || !/^(?:true|false)$/.test(readOnly) || !fields.get('target')?.startsWith('/'))
    return wrong;
  return {
    from,
    source,
    readOnly: readOnly === 'true',
    shared: SHARED.has(fields.get('bind-propagation') ?? ''),
    withSource: (path) => [...fields.set('source', path)].map(([key, text]) => `${key}=${text}`).join(','),
  };
}

function mountSource(type: string, source: string): Mount['from'] | undefined {
  if (type === 'bind') return source.startsWith('/') ? 'host' : undefined;
  if (source === '') return type === 'volume' || type === 'tmpfs' ? 'fresh' : undefined;
  return type === 'volume' && VOLUME_NAME.test(source) ? 'volume' : undefined;
}

/** True if programs may read the text differently: line breaks, other control characters, and backslashes. */
function isUnclear(value: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  return /[\x00-\x1f\x7f\\]/.test(value);
}
