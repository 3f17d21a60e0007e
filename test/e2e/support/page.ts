/** The scheduler's web page in Chromium. */

import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { root } from '../demo-cluster.ts';

/** Screenshots of each run; not in git. */
const PICTURES = path.join(root, 'build/ui-pictures');

export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
}

/** A browser whose pages may write no error to the console, and break no rule of their Content-Security-Policy. */
export class TestBrowser {
  readonly #browser: Browser;
  /** What no page may do. */
  readonly problems: string[] = [];

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  static async start(): Promise<TestBrowser> {
    await mkdir(PICTURES, { recursive: true });
    // Chromium refuses to run as root with its own sandbox.
    const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    return new TestBrowser(await chromium.launch({ executablePath: '/usr/bin/chromium', args }));
  }

  /** @returns a page with cookies of its own */
  async open(url: string, { colorScheme = 'light', width = 1280 }: PageOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ colorScheme, viewport: { width, height: 800 } });
    const page = await context.newPage();
    this.#watch(page);
    await page.goto(url);
    return page;
  }

  close(): Promise<void> {
    return this.#browser.close();
  }

  #watch(page: Page): void {
    page.on('pageerror', (error) => this.problems.push(`error in the page: ${error.message}`));
    page.on('console', (message) => {
      // Chromium reports each refused request, such as a dry run of a definition that is not complete yet, or of
      // a follower while no scheduler leads (503).
      if (
        /^Failed to load resource: (the server responded with a status of (4|503)|net::ERR_)/.test(
          message.text(),
        )
      )
        return;
      if (message.type() === 'error') this.problems.push(`console: ${message.text()}`);
    });
  }
}

export async function signIn(page: Page, user: string, password: string): Promise<void> {
  await page.getByLabel('User').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Apps' }).waitFor();
}

export async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
}

/** Presses Tab until the element has the focus, as somebody without a mouse does. @throws Error if it never has */
export async function tabTo(page: Page, element: Locator): Promise<void> {
  await element.waitFor();
  const isFocused = () => element.evaluate((one) => one === one.ownerDocument.activeElement);
  for (let left = MAX_TABS; !(await isFocused()); left -= 1) {
    if (left === 0) throw new Error(`the Tab key does not lead to ${element}`);
    await page.keyboard.press('Tab');
  }
}

const MAX_TABS = 80;

/** Presses a button or follows a link by keyboard alone. */
export async function press(page: Page, element: Locator): Promise<void> {
  await tabTo(page, element);
  await page.keyboard.press('Enter');
}

/** @returns the time, in milliseconds since the epoch, at which the page meets the condition, a JavaScript expression */
export function timeOf(page: Page, condition: string): Promise<number> {
  return page.evaluate(`new Promise((resolve) => {
    const observer = new MutationObserver(look);
    function look() {
      if (!(${condition})) return;
      observer.disconnect();
      resolve(Date.now());
    }
    observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
    look();
  })`);
}
