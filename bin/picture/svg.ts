import type { Line, Run } from './terminal.ts';

/** The terminal colours that programs use for text; all other text is light grey on near black. */
const COLOURS: Readonly<Record<number, string>> = {
  1: '#ff7b72',
  2: '#7ee787',
  3: '#e3b341',
  4: '#79c0ff',
  5: '#d2a8ff',
  6: '#76e3ea',
  8: '#8b949e',
};
const [CELL, LINE, MARGIN, BAR] = [8.4, 19, 16, 30];

/** Draws the lines as a terminal. @param columns the terminal's width */
export function terminalSvg(lines: readonly Line[], columns: number): string {
  const width = Math.ceil(columns * CELL + 2 * MARGIN);
  const height = lines.length * LINE + 2 * MARGIN + BAR;
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map(
    (fill, i) => `<circle cx="${MARGIN + 6 + i * 20}" cy="${BAR / 2 + 3}" r="6" fill="${fill}"/>`,
  );
  const rows = lines.map((line, i) => {
    const y = BAR + MARGIN + i * LINE + 10;
    return `<text x="${MARGIN}" y="${y}" xml:space="preserve">${line.map(span).join('')}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>mesosup demo --once in a terminal</title>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
${dots.join('\n')}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#c9d1d9">
${rows.join('\n')}
</g>
</svg>
`;
}

/** Reads the text of each line back from a picture. */
export function svgText(svg: string): string[] {
  return [...svg.matchAll(/<text [^>]*>(.*)<\/text>/g)].map(([, line]) =>
    (line ?? '')
      .replaceAll(/<[^>]*>/g, '')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&')
      .trimEnd(),
  );
}

function span({ text, colour, bold, dim }: Run): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const fill = dim ? COLOURS[8] : colour === undefined ? undefined : COLOURS[colour];
  const attributes = [fill && ` fill="${fill}"`, bold && ' font-weight="bold"'].filter(Boolean).join('');
  return attributes === '' ? escaped : `<tspan${attributes}>${escaped}</tspan>`;
}
