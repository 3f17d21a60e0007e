import { afterEach, beforeEach, expect, it, vi } from 'vitest';

const ORIGIN = 'http://scheduler.example';
const COUNTS = { tasksRunning: 1, tasksStaged: 0, tasksHealthy: 0, tasksUnhealthy: 0, deployments: [] };

/** What the scheduler answers. */
let listed: object[] = [];
/** Time for an answer. */
let answerMs = 0;
/** Time until a stream of events begins. */
let beginMs = 0;
let eventText = '';
let end = (): void => {};
/** Ends the streams of events. */
let cut = (): void => {};
let user = 'ada';

/** Like `fetch`: it ends with its signal. */
async function answer(input: unknown, { signal }: RequestInit = {}): Promise<Response> {
  const isStream = String(input).includes('/v2/events');
  await new Promise<void>((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason));
    setTimeout(resolve, isStream ? beginMs : answerMs);
  });
  if (String(input).includes('/v2/session')) return Response.json({ required: true, user, role: 'operator' });
  if (!isStream) {
    return Response.json(String(input).includes('/v2/apps') ? { apps: listed } : []);
  }
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(`:\n\n${eventText}`));
      signal?.addEventListener('abort', () => controller.error(signal.reason));
      cut = () => controller.error(new Error('closed'));
    },
  });
  return new Response(body);
}

/** The modules are loaded with a browser's globals, and their timers end with the test. */
async function page() {
  const [store, feed, stream] = await Promise.all([
    import('../store.ts'),
    import('./feed.ts'),
    import('./stream.ts'),
  ]);
  end = feed.startFeed();
  return { ...store, ...stream, startFeed: feed.startFeed };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('location', { origin: ORIGIN });
  vi.stubGlobal('document', { hidden: false });
  vi.stubGlobal('fetch', answer);
  [listed, answerMs, beginMs, eventText, user] = [[], 0, 0, '', 'ada'];
});

afterEach(async () => {
  end();
  await vi.advanceTimersByTimeAsync(10_000);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('forgets with the session what its user has seen, also what comes later', async () => {
  listed = [{ id: '/secret', version: '1', ...COUNTS, args: ['PASSWORD=x'] }];
  eventText = 'event: api_post_event\ndata: {"appDefinition":{"id":"/secret"},"timestamp":"t"}\nid: a-1\n\n';
  const { apps, events, isLoaded, startFeed } = await page();
  await vi.advanceTimersByTimeAsync(5000);
  expect([[...apps.value.keys()], events.value.length, isLoaded.value]).toEqual([['/secret'], 1, true]);

  end();
  expect([apps.value.size, events.value.length, isLoaded.value]).toEqual([0, 0, false]);
  // The same version, as another user sees it.
  listed = [{ id: '/secret', version: '1', ...COUNTS, args: ['PASSWORD=********'] }];
  eventText = '';
  answerMs = 3000;
  end = startFeed();
  await vi.advanceTimersByTimeAsync(1500);
  end();
  end = startFeed();
  await vi.advanceTimersByTimeAsync(1600);
  expect([apps.value.size, events.value.length]).toEqual([0, 0]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(apps.value.get('/secret')?.args).toEqual(['PASSWORD=********']);
});

it('connects again after a long silence, also to a scheduler that answers slowly', async () => {
  const { connection } = await page();
  await vi.advanceTimersByTimeAsync(1000);
  end();
  vi.setSystemTime(Date.now() + 3_600_000);
  beginMs = 5000;
  const { connection: same } = await page();
  expect(same).toBe(connection);
  await vi.advanceTimersByTimeAsync(8000);
  expect(connection.value.state).toBe('live');
});

it('begins again if another user has signed in when the connection comes back', async () => {
  const { session } = await page();
  session.value = { state: 'open', name: 'ada', role: 'operator', canSignOut: true };
  await vi.advanceTimersByTimeAsync(1000);
  cut();
  await vi.advanceTimersByTimeAsync(5000);
  expect(session.value).toMatchObject({ state: 'open', name: 'ada' });
  user = 'bob';
  cut();
  await vi.advanceTimersByTimeAsync(5000);
  expect(session.value).toEqual({ state: 'unknown' });
});
