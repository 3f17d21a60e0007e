/**
 * The terminal's library creates `style` elements, which the page's Content-Security-Policy forbids. Style sheets that a
 * script adopts are allowed, since only scripts of the page itself can do so.
 */

/** Runs a function in which the document creates, instead of `style` elements, ones that adopt their text as a sheet. */
export function withoutInlineStyles<T>(own: Document, run: () => T): T {
  const create = own.createElement;
  own.createElement = ((tag: string, options?: ElementCreationOptions) =>
    tag === 'style' ? adopting(own) : create.call(own, tag, options)) as typeof create;
  try {
    return run();
  } finally {
    own.createElement = create;
  }
}

function adopting(own: Document): HTMLElement {
  const sheet = new CSSStyleSheet();
  own.adoptedStyleSheets.push(sheet);
  const element = own.createElement('template');
  Object.defineProperty(element, 'textContent', {
    get: () => '',
    set: (text: string) => sheet.replaceSync(text),
  });
  const remove = element.remove.bind(element);
  element.remove = () => {
    own.adoptedStyleSheets = own.adoptedStyleSheets.filter((one) => one !== sheet);
    remove();
  };
  return element;
}
