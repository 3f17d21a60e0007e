/** Looks at the page as axe-core and people do: rules of accessibility, what is cut off, and screenshots. */

import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { runs } from '../../support/runs.ts';
import { picture } from './page.ts';

interface Form {
  readonly colorScheme: 'light' | 'dark';
  readonly width: number;
}

const WIDE = 1280;
const NARROW = 390;
const ALL_FORMS: readonly Form[] = [
  { colorScheme: 'light', width: WIDE },
  { colorScheme: 'dark', width: NARROW },
  { colorScheme: 'dark', width: WIDE },
  { colorScheme: 'light', width: NARROW },
];
const isSoak = runs(1) > 1;
/** Forms of views: in the soak all, otherwise each scheme and each width once. */
export const VIEW_FORMS: readonly Form[] = ALL_FORMS.slice(0, isSoak ? 4 : 2);
/** Forms of dialogs and other states. */
export const STATE_FORMS: readonly Form[] = ALL_FORMS.slice(isSoak ? 0 : 1, 2);

const RUN = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
  violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ' ' + target.join(' '))))`;

/** @returns the rules that the view breaks, with the elements */
export async function violations(page: Page): Promise<string[]> {
  // The page's policy allows no script of a test in the page itself, but this is no script element.
  if (await page.evaluate("typeof axe === 'undefined'")) await page.evaluate(axe.source);
  return page.evaluate(RUN);
}

/**
 * Takes a picture of what the page shows now in each form.
 * @returns the rules that it breaks, and how much wider than the window it is
 */
export async function lookAt(page: Page, name: string, forms: readonly Form[]): Promise<string[]> {
  const found: string[] = [];
  for (const { colorScheme, width } of forms) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height: 800 });
    await picture(page, `${name}-${colorScheme}-${width}`);
    found.push(...(await violations(page)).map((one) => `${name} ${colorScheme} ${width}: ${one}`));
    const overflow = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
    if (overflow > 0) found.push(`${name}: wider than ${width} pixels by ${overflow}`);
  }
  return found;
}
