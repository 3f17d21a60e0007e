import type { ComponentChildren } from 'preact';

/** An area that scrolls sideways where its content does not fit, also by keyboard. */
export function Scroll({
  label,
  isPanel = true,
  children,
}: {
  readonly label: string;
  readonly isPanel?: boolean;
  readonly children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled area must be reachable by keyboard
    <section class={isPanel ? 'panel scroll' : 'scroll'} aria-label={label} tabIndex={0}>
      {children}
    </section>
  );
}
