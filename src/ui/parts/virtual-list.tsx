import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Rows above and below the visible ones. */
const MARGIN = 6;
/** Drawn before the height of the list is known. */
const FIRST_ROWS = 24;

/** Draws only the visible rows of a list whose rows all have the same height, in pixels. */
export function VirtualList({
  count,
  rowHeight,
  label,
  header,
  row,
}: {
  count: number;
  rowHeight: number;
  label: string;
  header?: ComponentChildren;
  /** @param index from 0 */
  row: (index: number) => ComponentChildren;
}) {
  const viewport = useRef<HTMLDivElement>(null);
  const [range, setRange] = useState({ first: 0, last: FIRST_ROWS });
  const frame = useRef(0);

  const measure = () => {
    frame.current = 0;
    const box = viewport.current;
    if (!box) return;
    const first = Math.max(0, Math.floor(box.scrollTop / rowHeight) - MARGIN);
    const last = Math.ceil((box.scrollTop + box.clientHeight) / rowHeight) + MARGIN;
    setRange((old) => (old.first === first && old.last === last ? old : { first, last }));
  };
  const schedule = () => {
    if (frame.current === 0) frame.current = requestAnimationFrame(measure);
  };
  useLayoutEffect(measure, [count, rowHeight]);
  useEffect(() => {
    const observer = new ResizeObserver(schedule);
    if (viewport.current) observer.observe(viewport.current);
    return () => {
      observer.disconnect();
      cancelAnimationFrame(frame.current);
    };
  }, []);

  const first = Math.min(range.first, Math.max(0, count - 1));
  const last = Math.min(range.last, count);
  const indexes = Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i);
  return (
    <div class="list" role="table" aria-label={label} aria-rowcount={count + (header ? 1 : 0)}>
      {header}
      <div
        class="list-rows"
        role="rowgroup"
        ref={viewport}
        onScroll={schedule}
        // A scrolled area must be reachable by keyboard.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
        tabIndex={0}
        aria-label={label}
      >
        <div class="list-space" role="presentation" style={{ height: `${first * rowHeight}px` }} />
        {indexes.map(row)}
        <div
          class="list-space"
          role="presentation"
          style={{ height: `${Math.max(0, count - last) * rowHeight}px` }}
        />
      </div>
    </div>
  );
}
