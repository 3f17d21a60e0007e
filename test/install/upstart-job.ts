/**
 * Reads an Upstart job as init(5) of Upstart 1.12 (Ubuntu 14.04) describes it, as far as our jobs go: what is not one
 * of the stanzas here, or not of its form, is refused. Upstart itself runs on no machine that builds this.
 */

export interface UpstartJob {
  readonly stanzas: ReadonlyMap<string, readonly string[]>;
  /** Bodies of `script` blocks by name: `script`, `pre-start script` … */
  readonly scripts: ReadonlyMap<string, string>;
}

const RUNLEVELS = /^runlevel \[!?[0-6S]+\]$/;
const FORMS: Readonly<Record<string, RegExp>> = {
  description: /^"[^"]*"$/,
  'start on': RUNLEVELS,
  'stop on': RUNLEVELS,
  respawn: /^$/,
  'respawn limit': /^(unlimited|\d+ \d+)$/,
  setuid: /^[a-z][a-z0-9-]*$/,
  setgid: /^[a-z][a-z0-9-]*$/,
  umask: /^0?[0-7]{3}$/,
  limit: /^nofile (\d+|unlimited) (\d+|unlimited)$/,
  'normal exit': /^((\d+|[A-Z]+)( |$))+$/,
  exec: /^\S.*$/,
  'post-stop exec': /^\S.*$/,
};
const SCRIPT = /^((?:pre|post)-(?:start|stop) )?script$/;

/** @throws SyntaxError naming the line */
export function parseUpstartJob(text: string): UpstartJob {
  const stanzas = new Map<string, string[]>();
  const scripts = new Map<string, string>();
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new SyntaxError('the last line has no end');
  for (let at = 0; at < lines.length; at += 1) {
    const line = (lines[at] ?? '').trim();
    if (line === '' || line.startsWith('#')) continue;
    if (SCRIPT.test(line)) {
      const end = lines.findIndex((one, index) => index > at && one.trim() === 'end script');
      if (end < 0) throw new SyntaxError(`line ${at + 1}: "${line}" has no end`);
      if (scripts.has(line)) throw new SyntaxError(`line ${at + 1}: a second "${line}"`);
      scripts.set(line, lines.slice(at + 1, end).join('\n'));
      at = end;
      continue;
    }
    const [name, form] = Object.entries(FORMS)
      .toSorted(([a], [b]) => b.length - a.length)
      .find(([key]) => line === key || line.startsWith(`${key} `)) ?? ['', /$^/];
    const value = line.slice(name.length).trim();
    if (name === '' || !form.test(value)) throw new SyntaxError(`line ${at + 1}: no stanza: ${line}`);
    stanzas.set(name, [...(stanzas.get(name) ?? []), value]);
  }
  for (const [name, values] of stanzas) {
    if (values.length > 1 && name !== 'limit')
      throw new SyntaxError(`"${name}" stands ${values.length} times`);
  }
  const mains = (stanzas.has('exec') ? 1 : 0) + (scripts.has('script') ? 1 : 0);
  if (mains !== 1) throw new SyntaxError('a job has one main process: exec or script');
  return { stanzas, scripts };
}
