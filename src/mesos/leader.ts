/** Finding the leading master. A session asks before each attempt; what it is given may redirect it (307). */

/** The port a master listens on where the address names none. */
const MASTER_PORT = 5050;

/**
 * Reads a list of masters, `host:port,host:port…`, as `--master` takes it.
 * @throws TypeError naming the entry that is no address
 */
export function parseMasters(text: string): string[] {
  return text.split(',').map((entry) => {
    const trimmed = entry.trim();
    const url = /^[^\s/?#@]+$/.test(trimmed) ? URL.parse(`http://${trimmed}`) : null;
    if (!url) throw new TypeError(`"${entry}" is no master's address: give host:port, several with commas`);
    return `${url.hostname}:${/:\d+$/.test(trimmed) ? portOf(trimmed) : MASTER_PORT}`;
  });
}

/**
 * Detection from a fixed list: each question is answered with the next one. Any master that is up either leads or
 * redirects to the one that does, so the list is gone through only while masters are down.
 */
export function detectFromList(masters: readonly string[]): () => Promise<string> {
  let next = 0;
  return async () => {
    const master = masters[next % masters.length];
    if (master === undefined)
      throw new Error('there is no master in the list: name at least one as host:port');
    next += 1;
    return master;
  };
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}
