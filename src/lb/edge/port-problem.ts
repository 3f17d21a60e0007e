import { createServer } from 'node:net';

/** Tries to listen. @param address `*` for all @returns why it is not possible */
export function portProblem(address: string, port: number): Promise<string | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const text = error.code === 'EADDRINUSE' ? 'another program on this host listens on it' : error.message;
      resolve(text);
    });
    server.listen({ port, host: address === '*' ? '0.0.0.0' : address, exclusive: true }, () => {
      server.close(() => resolve(undefined));
    });
  });
}
