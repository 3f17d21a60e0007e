import { describe, expect, it } from 'vitest';
import { DockerError, DockerUnavailableError } from '../docker/connection.ts';
import { DockerRetries } from './docker-retries.ts';

/** Fails with the errors in turn, then succeeds. */
function attempts(...errors: Error[]): () => Promise<string> {
  return async () => {
    const error = errors.shift();
    if (error) throw error;
    return 'done';
  };
}

describe('an attempt', () => {
  const closing = new AbortController();
  const retries = new DockerRetries(closing.signal, () => {});

  it('is repeated while Docker is unreachable', async () => {
    const attempt = attempts(new DockerUnavailableError('refused'), new DockerUnavailableError('refused'));
    expect(await retries.run(attempt)).toBe('done');
  });

  it('is not repeated after an answer of Docker, unless it can only be wrong for a while', async () => {
    const refused = () => attempts(new DockerError('context deadline exceeded', 500));
    await expect(retries.run(refused())).rejects.toThrow('context deadline exceeded');
    expect(await retries.runUntilAnswered(refused())).toBe('done');
    await expect(retries.runUntilAnswered(attempts(new TypeError('bug')))).rejects.toThrow('bug');
  });

  it('is not repeated once the executor ends', async () => {
    closing.abort();
    const attempt = attempts(new DockerUnavailableError('refused'));
    await expect(retries.run(attempt)).rejects.toThrow('refused');
  });
});
