/**
 * Reads a stream of JSON objects, one per line, as Docker sends them for pulls and events.
 * @throws SyntaxError for a line that is not JSON; errors of the stream
 */
export async function* jsonLines(body: AsyncIterable<Buffer>): AsyncGenerator<unknown> {
  let rest: Buffer[] = [];
  for await (const chunk of body) {
    let at = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, at)) {
      const line = Buffer.concat([...rest, chunk.subarray(at, end)])
        .toString('utf8')
        .trim();
      rest = [];
      at = end + 1;
      if (line !== '') yield JSON.parse(line);
    }
    if (at < chunk.length) rest.push(chunk.subarray(at));
  }
  const last = Buffer.concat(rest).toString('utf8').trim();
  if (last !== '') yield JSON.parse(last);
}
