/** Suggests a command for the cluster of the present command. */

import { quote } from '../hosts/quote.ts';
import { specFlags } from './flags/cluster-flags.ts';
import { connectFlags } from './flags/connect-flags.ts';

const KEPT: Readonly<Record<string, { readonly type: string; readonly char?: string | undefined }>> = {
  ...specFlags,
  ...connectFlags,
};

/**
 * Repeats the flags that select the cluster and the connections.
 * @param command with its own flags: `install --start`
 * @param argv of the present command
 * @param omit names of flags not to repeat, since the cluster file has their values
 */
export function nextCommand(
  bin: string,
  command: string,
  argv: readonly string[],
  omit: readonly string[] = [],
): string {
  const kept: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    const name = word.startsWith('--')
      ? word.slice(2).replace(/=[\s\S]*$/, '')
      : Object.keys(KEPT).find((one) => word === `-${KEPT[one]?.char}`);
    const flag = KEPT[name ?? ''] ?? KEPT[name?.replace(/^no-/, '') ?? ''];
    const hasValue = flag?.type === 'option' && !word.includes('=');
    // In another command, a letter may be another flag.
    const full = word.startsWith('--') ? word : `--${name}`;
    if (flag && !omit.includes(name ?? '')) kept.push(full, ...(hasValue ? [argv[at + 1] ?? ''] : []));
    if (hasValue) at += 1;
  }
  return [bin, command, ...kept.map((word) => (/^[\w.,:@/~=+-]+$/.test(word) ? word : quote(word)))].join(
    ' ',
  );
}
