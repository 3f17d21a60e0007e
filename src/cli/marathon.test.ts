import { expect, it, vi } from 'vitest';
import type { Answer, Send } from '../client/api-client.ts';
import { marathonAt } from './marathon.ts';

/** A Marathon that gives these answers, by method and path. */
function marathon(answers: Readonly<Record<string, [status: number, body: string]>>) {
  const sent: string[] = [];
  const send = async (url: string, { method, headers }: { method: string; headers: object }) => {
    sent.push(`${method} ${url} ${Object.values(headers).at(-1)}`);
    const answer = answers[`${method} ${new URL(url).pathname}`];
    if (!answer) throw Object.assign(new Error('closed'), { code: 'ECONNREFUSED' });
    return new Response(answer[1], { status: answer[0] }) as Answer;
  };
  return { sent, marathon: marathonAt('http://m:8080/', 'Bearer x', send) };
}

it('reads all of it, with the contents of the groups', async () => {
  const paths = ['info', 'groups', 'tasks', 'deployments', 'queue'];
  const answers = Object.fromEntries(
    paths.map((one) => [`GET /v2/${one}`, [200, `{"is":"${one}"}`]] as const),
  );
  const one = marathon(answers as Record<string, [number, string]>);
  expect(await one.marathon.read()).toEqual(Object.fromEntries(paths.map((is) => [is, { is }])));
  expect(one.sent).toContain(
    'GET http://m:8080/v2/groups?embed=group.groups&embed=group.apps&embed=group.pods Bearer x',
  );
});

it('knows forgotten versions from failures, and says what to do', async () => {
  const gone = marathon({ 'GET /v2/apps/a/b/versions/1': [404, '{"message":"no"}'] });
  expect(await gone.marathon.version('/a/b', '1')).toBeUndefined();
  const closed = marathon({ 'GET /v2/apps/a/versions/1': [401, '{"message":"Who?"}'] });
  await expect(closed.marathon.version('/a', '1')).rejects.toMatchObject({
    message: 'http://m:8080: Who?',
    remedy: 'Set --credentials-file or --token-file.',
  });
  await expect(marathon({}).marathon.read()).rejects.toMatchObject({
    message: 'no Marathon answers at http://m:8080: closed',
    remedy: 'Check the URL of Marathon.',
  });
  const other = marathon({ 'GET /v2/apps/a/versions/1': [200, '<html>'] });
  await expect(other.marathon.version('/a', '1')).rejects.toThrow(
    'http://m:8080 does not answer like a Marathon',
  );
});

it('asks another instance to abdicate, with the same credentials', async () => {
  const one = marathon({ 'DELETE /v2/leader': [200, ''] });
  await one.marathon.at('other:80').abdicate();
  expect(one.sent).toEqual(['DELETE http://other:80/v2/leader Bearer x']);
});

it('does not wait for ever for an instance that does not answer to that', async () => {
  vi.useFakeTimers();
  try {
    const send: Send = (_url, { signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const asked = expect(marathonAt('http://m:8080', undefined, send).abdicate()).rejects.toThrow(
      'http://m:8080 did not answer: no answer in 60 s',
    );
    await vi.advanceTimersByTimeAsync(61_000);
    await asked;
  } finally {
    vi.useRealTimers();
  }
}, 10_000);
