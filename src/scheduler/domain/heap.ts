/** A binary heap in an array, with logarithmic costs. */

/** True if `a` leaves the heap before `b`. */
export type Before<T> = (a: T, b: T) => boolean;

export function pushHeap<T>(heap: T[], item: T, before: Before<T>): void {
  heap.push(item);
  let i = heap.length - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!swapIfBefore(heap, i, parent, before)) return;
    i = parent;
  }
}

/** Removes and returns the first item. */
export function popHeap<T>(heap: T[], before: Before<T>): T | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  heap[0] = last;
  for (let i = 0; ; ) {
    const left = 2 * i + 1;
    const right = left + 1;
    const child = right < heap.length && before(heap[right] as T, heap[left] as T) ? right : left;
    if (!swapIfBefore(heap, child, i, before)) return first;
    i = child;
  }
}

function swapIfBefore<T>(heap: T[], child: number, parent: number, before: Before<T>): boolean {
  if (child >= heap.length) return false;
  const a = heap[child] as T;
  const b = heap[parent] as T;
  if (!before(a, b)) return false;
  heap[child] = b;
  heap[parent] = a;
  return true;
}
