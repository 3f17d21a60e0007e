import { barOf, type Counts } from '../state/tree.ts';

const WORDS = {
  healthy: 'healthy',
  running: 'running',
  unhealthy: 'unhealthy',
  staged: 'starting',
  missing: 'missing',
};

/** Shows the parts of an app's instances as a bar with a text for screen readers. */
export function HealthBar({ counts }: { counts: Counts }) {
  const parts = barOf(counts);
  const text = parts.map(({ kind, count }) => `${count} ${WORDS[kind]}`).join(', ') || 'no instances';
  let x = 0;
  const total = parts.reduce((sum, { count }) => sum + count, 0);
  return (
    <svg class="bar" role="img" aria-label={text} viewBox="0 0 100 8" preserveAspectRatio="none">
      <title>{text}</title>
      <rect class="bar-empty" width="100" height="8" />
      {parts.map(({ kind, count }) => {
        const at = x;
        const width = (count / total) * 100;
        x += width;
        return <rect key={kind} class={`bar-${kind}`} x={at} width={width} height="8" />;
      })}
    </svg>
  );
}
