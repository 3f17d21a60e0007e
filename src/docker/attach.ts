import type { Socket } from 'node:net';
import { hijack } from './hijack.ts';
import { LogFrameDecoder, type OutputChunk } from './log-frames.ts';

/**
 * Attaches to a container that was created with open standard input (`docker create -i`, no terminal) and is not started
 * yet, so that no output is missed. Source: "attach to a container" of Docker's API.
 *
 * @param version the engine's API version
 * @returns the connection: `sendInput` sends a text; `output` yields until the container ends, and a loop that
 *   leaves it earlier closes the input
 * @throws Error if Docker refuses
 */
export async function attachContainer(
  socketPath: string,
  version: string,
  container: string,
): Promise<{ sendInput: (text: string) => void; output: AsyncGenerator<OutputChunk> }> {
  const path = `/v${version}/containers/${encodeURIComponent(container)}/attach?stream=1&stdin=1&stdout=1&stderr=1`;
  const socket = await hijack(socketPath, path, `attach to container ${container}`);
  return { sendInput: (text) => void socket.write(text), output: frames(socket) };
}

async function* frames(socket: Socket): AsyncGenerator<OutputChunk> {
  const decoder = new LogFrameDecoder();
  for await (const chunk of socket as AsyncIterable<Buffer>) yield* decoder.push(chunk);
}
