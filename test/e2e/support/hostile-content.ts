/** Content that pages must show as text. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Page, Route } from 'playwright-core';

/** HTML, a mark that reverses the text after it, and a sequence that clears a terminal. */
export const HOSTILE = '<img src=x onerror="hacked=1">\u202eevil\u001b[2J';
/** A part of it as it is shown, also within JSON. */
const SHOWN = '\\u202eevil';
const SHOWN_MS = 15_000;
const POLL_MS = 100;
const LONG = 'x'.repeat(1 << 20);

/** Values that the page compares, puts into addresses, or reads as times. */
const KEPT = new Set([
  ...['id', 'appId', 'taskId', 'slaveId', 'agentId', 'version', 'versions', 'state', 'status', 'action'],
  ...['mode', 'protocol', 'network', 'type', 'role', 'kind', 'stage', 'currentStep'],
]);
const TIME = /^\d{4}-\d\d-\d\dT/;
/** Also as long as possible. */
const LONG_ONES = new Set(['message', 'cmd', 'reasons', 'lastFailureCause']);

function hostile(value: unknown, key = ''): unknown {
  if (typeof value === 'string') {
    if (KEPT.has(key) || TIME.test(value)) return value;
    return `${HOSTILE}${value}${LONG_ONES.has(key) ? LONG : ''}`;
  }
  if (Array.isArray(value)) return value.map((one) => hostile(one, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, hostile(one, name)]));
}

/** Answers like the scheduler, with hostile texts. */
export async function hostileAnswer(route: Route): Promise<void> {
  const response = await route.fetch();
  const isJson = response.headers()['content-type']?.includes('json');
  if (!isJson) return route.fulfill({ response });
  await route.fulfill({ response, json: hostile(await response.json()) });
}

/** @returns what is wrong with the way in which the view shows the hostile text */
export async function problemsOf(page: Page, view: string): Promise<string[]> {
  const text = `document.body.innerText + [...document.querySelectorAll('textarea')].map(({ value }) => value)`;
  const isShown = async () => String(await page.evaluate(text)).includes(SHOWN);
  for (const end = Date.now() + SHOWN_MS; !(await isShown()) && Date.now() < end; ) await sleep(POLL_MS);
  const problems: string[] = [];
  if (!(await isShown())) problems.push('does not show the text');
  if (Number(await page.locator('img[src=x]').count()) > 0) problems.push('made an element of it');
  if (await page.evaluate('typeof hacked !== "undefined"')) problems.push('ran it');
  if (await page.evaluate('/[\\u202e\\u001b]/.test(document.body.innerText)')) problems.push('shows it raw');
  const overflow = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
  if (overflow > 0) problems.push(`is ${overflow} pixels too wide`);
  return problems.map((one) => `${view || 'apps'} ${one}`);
}
