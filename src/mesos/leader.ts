/** Finds the leading master. A session asks before each attempt; the master found may redirect it (307). */

/** The port of a master if the address has no port. */
const MASTER_PORT = 5050;

/**
 * Reads a list of masters, `host:port,host:port…`, as `--master` takes it.
 * @throws TypeError with the invalid entry
 */
export function parseMasters(text: string): string[] {
  return text.split(',').map((entry) => {
    const trimmed = entry.trim();
    const url = /^[^\s/?#@]+$/.test(trimmed) ? URL.parse(`http://${trimmed}`) : null;
    if (!url)
      throw new TypeError(`"${entry}" is not a master address: use host:port, with commas between several`);
    return `${url.hostname}:${/:\d+$/.test(trimmed) ? portOf(trimmed) : MASTER_PORT}`;
  });
}

/**
 * Detects masters from a fixed list, in turn. A running master either leads or redirects to the leader, so the next
 * entry is needed only while masters are down.
 */
export function detectFromList(masters: readonly string[]): () => Promise<string> {
  let next = 0;
  return async () => {
    const master = masters[next % masters.length];
    if (master === undefined) throw new Error('the list of masters is empty: add at least one as host:port');
    next += 1;
    return master;
  };
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
