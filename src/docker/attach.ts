import { request } from 'node:http';
import type { Socket } from 'node:net';
import { MesosupError } from '../errors/mesosup-error.ts';
import { LogFrameDecoder, type OutputChunk } from './log-frames.ts';

/**
 * Attaches to a container that was created with open standard input (`docker create -i`, no terminal) and is not started
 * yet, so that no output is missed. Source: "attach to a container" of Docker's API.
 *
 * @param version the engine's API version
 * @returns the connection: `sendInput` sends a text and closes the input; `output` yields until the container ends
 * @throws Error if Docker refuses
 */
export async function attachContainer(
  socketPath: string,
  version: string,
  container: string,
): Promise<{ sendInput: (text: string) => void; output: AsyncGenerator<OutputChunk> }> {
  const socket = await new Promise<Socket>((resolve, reject) => {
    const outgoing = request({
      socketPath,
      method: 'POST',
      path: `/v${version}/containers/${encodeURIComponent(container)}/attach?stream=1&stdin=1&stdout=1&stderr=1`,
      headers: { Host: 'docker', Connection: 'Upgrade', Upgrade: 'tcp' },
    });
    outgoing.once('upgrade', (_answer, upgraded) => resolve(upgraded as Socket));
    outgoing.once('response', (answer) => {
      answer.resume();
      reject(
        new MesosupError(`Docker refused to attach to container ${container}: status ${answer.statusCode}`),
      );
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
  return { sendInput: (text) => socket.end(text), output: frames(socket) };
}

async function* frames(socket: Socket): AsyncGenerator<OutputChunk> {
  const decoder = new LogFrameDecoder();
  for await (const chunk of socket as AsyncIterable<Buffer>) yield* decoder.push(chunk);
}
